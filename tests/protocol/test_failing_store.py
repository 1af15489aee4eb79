"""A store that refuses, fails or hangs costs the requests it touches, never a session."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from switchroom.server.errors import Overloaded, StoreUnavailable
from switchroom.server.models import Direction, Event, EventKind
from tests.support.raw import raw_connection
from tests.support.servers import Site, eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import client, initialize_message, session, text_of

pytestmark = pytest.mark.anyio


def failing(site: Site, kind: EventKind, error: Exception, *, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """Make the next append of that kind from the server fail; returns what was refused."""
    append, refused = site.switchroom.store.events.append, list[Event]()

    def fail_once(session_no: int, event: Event) -> asyncio.Future[None]:
        if refused or event.kind is not kind or event.direction is not Direction.FROM_SERVER:
            return append(session_no, event)
        refused.append(event)
        if isinstance(error, Overloaded):
            raise error
        append(session_no, event)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(error)
        return future

    monkeypatch.setattr(site.switchroom.store.events, "append", fail_once)
    return refused


@pytest.mark.parametrize("error", [StoreUnavailable("the disk is gone"), Overloaded("the queue is full")])
async def test_an_answer_that_is_not_stored_is_withheld_and_the_session_goes_on(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        refused = failing(site, EventKind.RESPONSE, error, monkeypatch=monkeypatch)
        answer = await wire.call("echo", id=4, text="lost")
        assert (answer.status, answer.headers["retry-after"], answer.last["id"]) == (503, "2", 4)
        assert "could not be stored" in answer.last["error"]["message"]
        assert len(refused) == 1
        assert text_of((await wire.call("echo", id=4, text="again")).last) == "again"


async def test_a_live_answer_that_is_not_stored_ends_its_stream_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id=4)) as stream:
            await stream.next()
            failing(site, EventKind.RESPONSE, Overloaded("the queue is full"), monkeypatch=monkeypatch)
            box.let_go()
            (answer,) = await stream.rest()
            assert (answer["id"], answer["error"]["code"]) == (4, -32603)
            assert stream.taken[-1].id is None
        assert text_of((await wire.call("echo", text="well")).last) == "well"


async def test_a_request_that_cannot_be_logged_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:

        def full(session_no: int, event: Event) -> None:
            raise Overloaded("the queue is full")

        with monkeypatch.context() as patched:
            patched.setattr(site.switchroom.store.events, "write", full)
            answer = await wire.call("wait", id=1)
            assert (answer.status, answer.last["error"]["message"]) == (503, "the queue is full")
            assert (await wire.notify("notifications/roots/list_changed")).status == 503
        assert box.started["wait"] == 0
        assert site.live().in_flight == 0
        assert text_of((await wire.call("echo", text="well")).last) == "well"


async def test_a_handshake_that_cannot_be_logged_leaves_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:

        def full(session_no: int, event: Event) -> None:
            raise Overloaded("the queue is full")

        with monkeypatch.context() as patched:
            patched.setattr(site.switchroom.store.events, "write", full)
            assert (await wire.post(initialize_message())).status == 503
        await eventually(lambda: not site.switchroom.engine.by_id)
        assert site.switchroom.engine.admission.live == 0
        assert "result" in (await wire.initialize()).last


async def test_a_stream_whose_store_cannot_be_read_ends_and_can_be_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        await wire.call("tell", text="kept")

        async def broken(self: Any, timeout: float | None = None) -> list[Event]:
            raise StoreUnavailable("the disk is gone")

        with monkeypatch.context() as patched:
            patched.setattr("switchroom.server.store.fanout.LogTail.read", broken)
            async with wire.listening() as stream:
                assert await stream.rest() == []
        async with wire.listening(stream.last_id) as resumed:
            assert (await resumed.message())["params"]["data"] == "kept"


async def test_a_body_that_does_not_arrive_in_time_is_408() -> None:
    async with (
        running(Toolbox().mcp, body_seconds=0.05) as site,
        session(site.url) as wire,
        raw_connection(site.url) as raw,
    ):
        await raw.send_request(wire, "POST", headers={"content-length": "1000"})
        await raw.send(b"half")
        assert b"408" in await raw.read_until(b"\r\n\r\n")
        await raw.read_to_end()
