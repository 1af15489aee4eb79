"""The stream itself: heartbeats, positions, farewells, and its end with the sign-in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

import anyio
import httpx2
import pytest

from switchroom.dashboard import live
from switchroom.dashboard.cursors import boot_of, live_cursor, parse_cursor
from switchroom.dashboard.followers import Permission
from switchroom.dashboard.frames import Frame, Resync
from switchroom.dashboard.live import Stream
from switchroom.server.errors import NotFound
from switchroom.server.models import Actor, Role
from tests.support.console import SAME_ORIGIN
from tests.support.pages import opened, running_pages
from tests.support.servers import serving

pytestmark = pytest.mark.anyio

ANA = Actor("ana", Role.VIEWER)


class Told:
    """A source that says what the test tells it to."""

    def __init__(self, *frames: Frame | Exception) -> None:
        self.frames = list(frames)
        self.asked: list[int] = []

    async def frame(self, since: int) -> Frame:
        self.asked.append(since)
        if not self.frames:
            return Frame("", since)
        told = self.frames.pop(0)
        if isinstance(told, Exception):
            raise told
        return told


async def allowed() -> Actor | None:
    return ANA


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_FRAME_SECONDS", 0.001)


def follow(
    source: Told, position: str = "boot.5", permission: Permission | None = None
) -> AsyncGenerator[dict[str, Any]]:
    stream = Stream(source, "boot", position, permission or Permission(allowed), anyio.Event())
    return cast("AsyncGenerator[dict[str, Any]]", stream.messages())


async def test_frames_carry_the_position_from_which_to_resume() -> None:
    source = Told(Frame("<p>1</p>", 7), Frame("", 8), Frame("<p>2</p>\r", 9))
    async with aclosing(follow(source)) as stream:
        assert await anext(stream) == {"id": "boot.7", "data": "<p>1</p>"}
        assert await anext(stream) == {"id": "boot.9", "data": "<p>2</p>"}
    assert source.asked[:3] == [5, 7, 8]


@pytest.mark.parametrize(
    "position", ["", "other.5", "boot", "boot.", "boot.-1", "boot.x", "5", "boot.٣", "boot." + "9" * 30]
)
async def test_a_position_of_another_run_means_reading_the_page_again(position: str) -> None:
    source = Told()
    async with aclosing(follow(source, position)) as stream:
        assert await anext(stream) == {"event": "resync", "data": ""}
    assert source.asked == []


@pytest.mark.parametrize("trouble", [Resync(), NotFound("gone")])
async def test_a_page_that_cannot_be_told_piecemeal_reads_itself_again(trouble: Exception) -> None:
    async with aclosing(follow(Told(trouble))) as stream:
        assert await anext(stream) == {"event": "resync", "data": ""}


async def test_a_quiet_stream_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_HEARTBEAT_SECONDS", 0.0)
    async with aclosing(follow(Told())) as stream:
        assert await anext(stream) == {"event": "hb", "data": ""}


async def test_the_stream_ends_when_it_may_not_be_read_any_more() -> None:
    async def refused() -> Actor | None:
        return None

    async with aclosing(follow(Told(), permission=Permission(refused, interval=0))) as stream:
        assert (await anext(stream))["event"] == "bye"
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_a_server_that_stops_says_so() -> None:
    bye = anyio.Event()
    bye.set()
    stream = Stream(Told(), "boot", "boot.1", Permission(allowed), bye)
    assert [message["event"] async for message in stream.messages()] == ["bye"]


async def test_over_the_wire_it_is_one_line_end_and_one_coalesced_frame() -> None:
    async with running_pages() as console:
        session = await opened(console)
        browser = await console.signed_in()
        cookies = dict(browser.cookies)
        async with (
            serving(console.guarded, lifespan="off") as base,
            httpx2.AsyncClient(base_url=base, headers=SAME_ORIGIN) as http,
        ):
            query = {"view": "sessions", "rows": session.id, "after": f"{boot_of(console.room.directory)}.0"}
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
            async with http.stream("GET", "/admin/live", params=query, headers=headers) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                with anyio.fail_after(5):
                    first = await anext(answer.aiter_raw())
            assert b"\r" not in first and first.startswith(b"id: ") and first.endswith(b"\n\n")
            assert f'<tr id="s-{session.id}"'.encode() in first


@pytest.mark.parametrize("accept", ["text/event-stream", "text/html, text/event-stream"])
async def test_without_a_sign_in_it_is_a_401_and_no_redirect(accept: str) -> None:
    async with running_pages() as console:
        headers = {"Accept": accept, "HX-Request": "true", **SAME_ORIGIN}
        answer = await console.browser().get("/admin/live?view=overview", headers=headers)
        assert answer.status_code == 401


async def test_positions_name_the_run_of_the_server() -> None:
    async with running_pages() as console:
        directory = console.room.directory
        assert parse_cursor(live_cursor(directory), boot_of(directory)) == directory.changes.version
        assert parse_cursor(live_cursor(directory, 7), boot_of(directory)) == 7
