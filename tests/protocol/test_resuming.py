"""`Last-Event-ID`: what was missed comes back, in order, once, and only to whom it belongs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from switchroom.server.filters import parse_filter
from switchroom.server.ids import parse_event_id
from switchroom.server.models import Actor, Role
from tests.support.servers import eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import Json, session, text_of

pytestmark = pytest.mark.anyio

ADMIN = Actor("ann", Role.ADMIN)


def logged(messages: list[Json]) -> list[object]:
    """Return the data of the log messages."""
    return [message["params"]["data"] for message in messages if message.get("method") == "notifications/message"]


async def test_a_call_is_resumed_while_it_runs_and_its_answer_comes_over_the_new_connection() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("emit_and_wait", id="r", count=3)) as stream:
            assert (await stream.message())["params"]["data"] == "0"
            held = stream.last_id
        async with wire.listening(held) as resumed:
            assert resumed.response.headers["mcp-session-id"] == wire.session_id
            assert [(await resumed.message())["params"]["data"] for _ in range(2)] == ["1", "2"]
            box.let_go()
            after, answer = await resumed.rest()
            assert (after["params"]["data"], text_of(answer)) == ("after", "emitted and waited")


async def test_a_call_is_resumed_after_it_ended() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("emit_and_wait", id="r", count=2)) as stream:
            await stream.next()
            held = stream.last_id
        box.let_go()
        await eventually(lambda: site.live().in_flight == 0)
        async with wire.listening(held) as resumed:
            *emitted, answer = await resumed.rest()
            assert (logged(emitted), text_of(answer)) == (["0", "1", "after"], "emitted and waited")
        async with wire.listening(held) as again:
            assert logged(await again.rest()) == ["0", "1", "after"]


async def test_a_quick_answer_can_be_resumed_from_its_priming_event() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        answer = await wire.call("echo", id=1, text="hi")
        async with wire.listening(answer.events[0].id) as resumed:
            assert text_of((await resumed.rest())[-1]) == "hi"


async def test_a_client_that_holds_the_answer_is_told_to_stop_coming_back() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        answer = await wire.call("echo", id=1, text="hi")
        refused = await wire.refused_get(answer.events[-1].id)
        assert (refused.status_code, refused.text) == (204, "")


async def test_a_handler_that_closes_its_stream_answers_the_client_that_comes_back() -> None:
    box = Toolbox()
    async with running(box.mcp, retry_ms=100) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("polled", id="p")) as stream:
            assert await stream.rest() == []
            assert stream.taken[0].retry == 100
            held = stream.last_id
        assert site.live().in_flight == 1
        async with wire.listening(held) as resumed:
            await resumed.next()
            box.let_go()
            assert text_of((await resumed.rest())[-1]) == "polled"


async def test_a_handler_cannot_close_the_stream_of_a_client_that_could_not_come_back() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url, "2025-06-18") as wire:
        async with wire.streaming(wire.call_message("polled", id="p")) as stream:
            await eventually(lambda: box.started["polled"])
            box.let_go()
            assert text_of((await stream.rest())[-1]) == "polled"


async def test_the_newest_connection_of_a_calls_stream_wins() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("emit_and_wait", id="r", count=1)) as stream:
            await stream.message()
            async with wire.listening(stream.last_id) as resumed:
                await resumed.next()
                assert await stream.rest() == []
                box.let_go()
                assert text_of((await resumed.rest())[-1]) == "emitted and waited"


async def test_the_standalone_stream_resumes_where_it_was_left() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        async with wire.listening() as stream:
            await stream.next()
            await wire.call("tell", text="one")
            assert (await stream.message())["params"]["data"] == "one"
            held = stream.last_id
        await eventually(lambda: not site.live().streams)
        for text in ("two", "three"):
            await wire.call("tell", text=text)
        async with wire.listening(held) as resumed:
            assert [(await resumed.message())["params"]["data"] for _ in range(2)] == ["two", "three"]
            await wire.call("tell", text="four")
            assert (await resumed.message())["params"]["data"] == "four"
        async with wire.listening(held) as again:
            assert [(await again.message())["params"]["data"] for _ in range(3)] == ["two", "three", "four"]


async def test_nothing_falls_between_what_was_missed_and_what_is_live() -> None:
    """400 messages while the client reconnects as often as it can: each arrives once, in order."""
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        live = site.live()

        async def speak() -> None:
            for number in range(400):
                await live.resident.connection.outbound.notify(
                    "notifications/message", {"level": "info", "data": number}
                )
                if number % 20 == 0:
                    await asyncio.sleep(0)

        received: list[object] = []
        held: str | None = None
        speaking: asyncio.Task[None] | None = None
        while len(received) < 400:
            async with wire.listening(held) as stream:
                await stream.next()
                speaking = speaking or asyncio.create_task(speak())
                wanted = min(7, 400 - len(received))
                received += [(await stream.message())["params"]["data"] for _ in range(wanted)]
                held = stream.last_id
        assert received == list(range(400))
        assert speaking is not None
        await speaking


async def test_an_id_from_before_a_newer_event_does_not_skip_it() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        async with wire.listening() as stream:
            priming = await stream.next()
        assert priming is not None and priming.id is not None
        await wire.call("tell", text="later")
        async with wire.listening(priming.id) as resumed:
            assert (await resumed.message())["params"]["data"] == "later"


async def test_a_resumed_stream_is_listed_with_where_it_went_on() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("emit_and_wait", id="r", count=1)) as stream:
            await stream.message()
            held = parse_event_id(stream.last_id)
        assert held is not None
        async with wire.listening(str(held)) as resumed:
            await resumed.next()
            (shown,) = site.switchroom.directory.streams(site.live().record.id)
            assert (shown.kind, shown.stream, shown.resumed_from) == ("get", held.stream, held.seq)
            box.let_go()
            await resumed.rest()
        await eventually(lambda: not site.switchroom.directory.streams(site.live().record.id))


async def test_an_operator_closes_a_calls_stream_and_the_client_resumes_it() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id="r")) as stream:
            await stream.next()
            (shown,) = site.switchroom.directory.streams(site.live().record.id)
            verbs = site.switchroom.operations
            assert await verbs.close_stream(ADMIN, site.live().record.id, shown.stream, "moving house")
            assert await stream.rest() == []
        async with wire.listening(stream.last_id) as resumed:
            await resumed.next()
            box.let_go()
            assert text_of((await resumed.rest())[-1]) == "waited"


async def test_every_tail_is_closed_when_its_stream_is() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        fanout: Any = getattr(site.switchroom.store.events, "_fanout")  # noqa: B009  # the count is nobody's business
        async with wire.streaming(wire.call_message("wait")) as call, wire.listening() as standalone:
            await call.next()
            await standalone.next()
            assert len(fanout._tails) == 1
            box.let_go()
            await call.rest()
        await eventually(lambda: fanout._tails == {})
        assert (await site.switchroom.directory.sessions(parse_filter(""))).total == 1


@pytest.mark.parametrize("engine", ["memory", "sqlite"])
async def test_a_stream_over_its_own_bound_resumes_with_its_newest_events_and_says_so(
    engine: str, tmp_path: Path
) -> None:
    box, db = Toolbox(), "memory:" if engine == "memory" else f"sqlite:///{tmp_path}/s.db"
    async with running(box.mcp, db=db, max_events_per_stream=50) as site, session(site.url) as wire:
        await wire.call("echo", id="before", text="kept")
        async with wire.streaming(wire.call_message("emit_and_wait", id="r", count=300)) as stream:
            await stream.next()  # the priming event
            held = stream.last_id
        box.let_go()
        await eventually(lambda: site.live().in_flight == 0)
        async with wire.listening(held) as resumed:
            *emitted, answer = await resumed.rest()
            data = logged(emitted)
            assert data[-2:] == ["299", "after"] and 50 <= len(data) <= 67
            assert text_of(answer) == "emitted and waited"
            assert any("dropped by retention" in (event.comment or "") for event in resumed.taken)
        events = await site.events()
        assert [event.request_id for event in events if event.method == "tools/call"] == ['"before"'] * 2 + ['"r"'] * 2
