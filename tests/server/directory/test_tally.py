"""Counts that followers share."""

from __future__ import annotations

import pytest

from switchroom.server.filters import parse_filter
from tests.support.pages import opened, running_pages

pytestmark = pytest.mark.anyio


async def test_a_follower_is_never_told_less_than_the_newest_page_was() -> None:
    everything = parse_filter("")
    async with running_pages() as console:
        directory = console.room.directory
        await opened(console)
        assert (await directory.tally(everything, is_shared=True)).total == 1
        await opened(console, "second")
        assert (await directory.tally(everything, is_shared=True)).total == 1
        assert (await directory.tally(everything)).total == 2
        assert (await directory.tally(everything, is_shared=True)).total == 2
