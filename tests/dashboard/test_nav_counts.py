"""The counts beside the navigation."""

from __future__ import annotations

import pytest

from switchroom.dashboard.frames.base import Frame
from switchroom.dashboard.frames.navigation import WithNavigation
from switchroom.dashboard.nav_counts import nav_counts
from switchroom.dashboard.templating import Templates
from switchroom.dashboard.urls import Urls
from switchroom.server.models import Actor, Role
from tests.support.html import parse
from tests.support.pages import opened, running_pages

pytestmark = pytest.mark.anyio


class QuietPage:
    """A page on which nothing changes."""

    async def frame(self, since: int) -> Frame:
        return Frame("", since)


async def test_sessions_and_what_broadcasts_wait_for_are_counted() -> None:
    async with running_pages() as console:
        await opened(console)
        before = await nav_counts(console.room.directory)
        await console.room.operations.broadcast(Actor("ana", Role.OPERATOR), text="hear ye", ttl_seconds=600)
        after = await nav_counts(console.room.directory)
    assert (before["sessions"], before["broadcast"]) == ("1", "")
    assert after["broadcast"] == "1"


async def test_every_page_s_stream_brings_the_counts() -> None:
    async with running_pages() as console:
        await opened(console)
        follower = WithNavigation(QuietPage(), console.room.directory, Templates(Urls()))
        parts = parse((await follower.frame(7)).html).select("hx-partial")
        again = await follower.frame(7)
    told = {each.attributes["hx-target"]: each.text for each in parts}
    assert told["#nav-sessions"] == "1" and "#nav-broadcast" in told
    assert again.html == ""


async def test_streams_share_what_was_read_from_the_store_a_moment_ago() -> None:
    async with running_pages() as console:
        await opened(console)
        directory = console.room.directory
        assert await directory.waiting_broadcasts(is_shared=True) == 0
        await console.room.operations.broadcast(Actor("ana", Role.OPERATOR), text="hear ye", ttl_seconds=600)
        assert await directory.waiting_broadcasts(is_shared=True) == 0
        assert await directory.waiting_broadcasts() == 1
        assert await directory.waiting_broadcasts(is_shared=True) == 1
