"""How sessions end, and what everybody who still knows their id is told."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from switchroom.server.engine.session import LiveSession
from switchroom.server.engine.sweeper import Sweeper
from switchroom.server.filters import parse_filter
from switchroom.server.models import Actor, Role, SessionState
from tests.support.servers import Site, eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import client, session, text_of

pytestmark = pytest.mark.anyio

OPERATOR = Actor("ann", Role.OPERATOR)


async def expire(site: Site, reason: str = "enough") -> None:
    result = await site.switchroom.operations.expire(OPERATOR, reason, query=parse_filter(""))
    assert result.failed == []


async def test_delete_ends_the_session_and_later_requests_are_told_so() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        assert (await wire.delete()).status_code == 200
        answer = await wire.call("echo", id=3, text="hi")
        assert (answer.status, answer.content_type) == (404, "application/json")
        assert "closed by its client" in answer.last["error"]["message"]
        assert answer.last["error"]["data"]["code"] == "client"
        assert (await wire.refused_get()).status_code == 404
        assert (await wire.delete()).status_code == 404
        (seen,) = (await site.switchroom.directory.sessions(parse_filter(""))).items
        assert (seen.state, seen.end_code) == (SessionState.CLOSED, "client")
        assert site.switchroom.engine.admission.live == 0


async def test_its_client_is_told_before_the_store_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        engine, held = site.switchroom.engine, asyncio.get_running_loop().create_future()
        reference = site.live().record.id

        def save(_: LiveSession) -> asyncio.Future[None]:
            return held

        monkeypatch.setattr(engine, "save", save)
        ending = asyncio.create_task(wire.delete())
        await eventually(lambda: reference not in engine.by_id)
        answer = await wire.call("echo", id=3, text="hi")
        assert (answer.status, answer.last["error"]["data"]["code"]) == (404, "client")
        assert (await site.switchroom.directory.session(reference)).state is SessionState.CLOSED
        held.set_result(None)
        assert (await ending).status_code == 200


@pytest.mark.parametrize("tool", ["wait", "stubborn", "block"])
async def test_delete_answers_the_calls_in_flight(tool: str) -> None:
    box = Toolbox()
    async with running(box.mcp, cancel_grace_seconds=0.1) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message(tool, id="d")) as stream:
            await stream.next()
            assert (await wire.delete()).status_code == 200
            (answer,) = await stream.rest()
            assert (answer["id"], answer["error"]["code"]) == ("d", -32001)
            assert "closed by its client" in answer["error"]["message"]
        box.let_go()


@pytest.mark.parametrize("tool", ["wait", "stubborn"])
async def test_delete_answers_a_call_that_has_sent_nothing_yet(tool: str) -> None:
    box = Toolbox()
    async with running(box.mcp, cancel_grace_seconds=0.05, stream_after_seconds=60) as site, session(site.url) as wire:
        call = asyncio.create_task(wire.call(tool, id="d"))
        await eventually(lambda: box.started[tool])
        assert (await wire.delete()).status_code == 200
        assert (await call).last["error"]["code"] == -32001
        box.let_go()


async def test_an_operators_end_answers_calls_ends_streams_and_says_why() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.listening() as standalone, wire.streaming(wire.call_message("wait", id="e")) as stream:
            await standalone.next()
            await stream.next()
            await expire(site, "moving house")
            (answer,) = await stream.rest()
            assert answer["error"]["code"] == -32001
            assert "expired by an operator: moving house" in answer["error"]["message"]
            assert await standalone.rest() == []
        told = (await wire.call("echo", text="hi")).last["error"]
        assert (told["code"], told["data"]["reason"]) == (-32001, "moving house")
        assert "Send initialize" in told["message"]


async def test_the_answer_of_a_live_stream_is_written_before_the_stream_is_ended() -> None:
    """The end of the session and the answer's commit race; the answer must win on every connection."""
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with (
            wire.streaming(wire.call_message("wait", id="a")) as one,
            wire.streaming(wire.call_message("wait", id="b")) as two,
        ):
            await one.next()
            await two.next()
            async with wire.listening(two.last_id) as resumed:
                await resumed.next()
                commit = site.switchroom.store.events.append
                released = asyncio.Event()

                def slow_append(session_no: int, event: Any) -> asyncio.Future[None]:
                    """Commit later, as a disk does."""

                    async def later() -> None:
                        await released.wait()
                        await commit(session_no, event)

                    return asyncio.ensure_future(later())

                site.switchroom.store.events.append = slow_append  # type: ignore[method-assign]
                ending = asyncio.create_task(expire(site))
                await eventually(lambda: site.live().in_flight == 0)
                released.set()
                assert [m["error"]["code"] for m in await one.rest()] == [-32001]
                assert [m["error"]["code"] for m in await resumed.rest()] == [-32001]
                await ending


async def test_a_session_ends_once_however_many_ask_for_it() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        session_id = site.live().record.id
        verbs = site.switchroom.operations
        expiring = [verbs.expire(OPERATOR, "race", session_ids=[session_id]) for _ in range(20)]
        results, _ = await asyncio.gather(asyncio.gather(*expiring), wire.delete())
        assert sum(len(result.expired) for result in results) == 1
        assert site.switchroom.engine.admission.live == 0


async def test_an_end_is_carried_out_even_if_whoever_asked_for_it_leaves() -> None:
    box = Toolbox()
    async with running(box.mcp, cancel_grace_seconds=0.1) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("stubborn", id="s")) as stream:
            await stream.next()
            live = site.live()
            asking = asyncio.create_task(site.switchroom.engine.end(live, SessionState.EXPIRED, "operator"))
            await eventually(lambda: live.early_end is not None)
            asking.cancel()
            assert [message["error"]["code"] for message in await stream.rest()] == [-32001]
        await eventually(lambda: not site.switchroom.engine.by_id)
        (seen,) = (await site.switchroom.directory.sessions(parse_filter(""))).items
        assert seen.state is SessionState.EXPIRED
        box.let_go()


async def test_an_idle_session_expires_and_a_held_stream_keeps_one_alive() -> None:
    async with running(Toolbox().mcp, idle_seconds=60) as site, session(site.url) as idle, session(site.url) as held:
        async with held.listening() as stream:
            await stream.next()
            await Sweeper(site.switchroom.engine).sweep(time.monotonic() + 61)
            told = (await idle.call("echo", text="hi")).last["error"]
            assert told["data"]["code"] == "idle"
            assert text_of((await held.call("echo", text="alive")).last) == "alive"
            await Sweeper(site.switchroom.engine).sweep(time.monotonic() + 3600)
            assert text_of((await held.call("echo", text="alive")).last) == "alive"


async def test_a_call_in_flight_keeps_a_session_from_idling_out_but_not_from_its_lifetime() -> None:
    box = Toolbox()
    async with running(box.mcp, idle_seconds=60) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait")) as stream:
            await stream.next()
            await Sweeper(site.switchroom.engine).sweep(time.monotonic() + 61)
            assert site.live().in_flight == 1
            site.live().record.lifetime_seconds = 0.001
            await Sweeper(site.switchroom.engine).sweep(time.monotonic())
            assert "end of its lifetime" in (await stream.rest())[-1]["error"]["message"]


async def test_a_session_shows_when_it_expires() -> None:
    async with running(Toolbox().mcp, idle_seconds=60) as site, session(site.url):
        shown = site.switchroom.engine.describe(site.live())
        assert shown.expires_at is not None
        assert 50 < shown.expires_at - time.time() <= 60


async def test_clean_ups_run_when_the_session_ends_and_only_then() -> None:
    async with running(Toolbox().mcp, hibernate_seconds=1) as site, session(site.url) as wire:
        cleaned: list[str] = []
        site.live().resident.connection.exit_stack.callback(cleaned.append, "cleaned")
        await Sweeper(site.switchroom.engine).sweep(time.monotonic() + 10)
        assert cleaned == []
        await wire.delete()
        assert cleaned == ["cleaned"]


async def test_a_flood_of_failing_handshakes_leaves_no_session_and_no_slot() -> None:
    async with running(Toolbox().mcp, max_sessions=3) as site, client(site.url) as wire:
        for _ in range(20):
            answer = await wire.post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}})
            assert answer.last["error"]["code"] == -32602
        assert "result" in (await wire.initialize()).last
        await eventually(lambda: len(site.switchroom.engine.by_id) == 1)
