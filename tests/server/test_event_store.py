"""The stores beside the SDK's own transport: what its tests of resumability ask of an event store, over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.streamable_http import EventMessage
from mcp_types import JSONRPCNotification, JSONRPCRequest, LoggingMessageNotification, LoggingMessageNotificationParams

from switchroom.server import EventStores
from switchroom.server.data import log_message
from tests.support.clients import connected, text_of
from tests.support.servers import serving
from tests.support.wire import session
from tests.support.wire import text_of as wire_text

pytestmark = pytest.mark.anyio


class Gate:
    """Holds calls until a test opens it."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()


def telling(gate: Gate) -> MCPServer:
    mcp = MCPServer("telling")

    @mcp.tool()
    async def tell(ctx: Context, text: str) -> str:
        """Say something on the standalone stream."""
        params = LoggingMessageNotificationParams(level="info", data=text)
        await ctx.session.send_notification(LoggingMessageNotification(params=params))
        return text

    @mcp.tool()
    async def count(ctx: Context, upto: int) -> str:
        """Say numbers on the call's own stream; wait at the gate after the first."""
        for number in range(1, upto + 1):
            await log_message(ctx, "info", number)
            if number == 1:
                await gate.opened.wait()
        return f"counted to {upto}"

    return mcp


@pytest.fixture(params=["memory:", "sqlite"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/events.db" if request.param == "sqlite" else "memory:"


@asynccontextmanager
async def sdk_server(where: str, gate: Gate, **bounds: Any) -> AsyncGenerator[str]:
    """The SDK's own server and manager, with our stores."""
    mcp = telling(gate)
    app = mcp.streamable_http_app(retry_interval=100)
    async with EventStores(where, **bounds) as stores:
        stores.serve(mcp.session_manager)
        async with serving(app) as base:
            yield f"{base}/mcp"


async def test_a_real_client_works_as_it_does_without(where: str) -> None:
    gate = Gate()
    gate.opened.set()
    async with sdk_server(where, gate) as url, connected(url) as (client, hearing):
        assert text_of(await client.call_tool("count", {"upto": 3})) == "counted to 3"
        assert hearing.logs == [1, 2, 3]


async def test_a_broken_call_is_resumed_with_what_was_missed_and_nothing_twice(where: str) -> None:
    gate = Gate()
    async with sdk_server(where, gate) as url, session(url) as wire:
        async with wire.streaming(wire.call_message("count", id="c", upto=3)) as stream:
            first = await stream.next()
            assert first is not None and not first.is_message and first.retry == 100, "a priming event comes first"
            assert (await stream.message())["params"]["data"] == 1
            held = stream.last_id
        gate.opened.set()
        async with wire.listening(held) as resumed:
            told = [await resumed.message() for _ in range(3)]
        assert [message["params"]["data"] for message in told[:2]] == [2, 3]
        assert wire_text(told[2]) == "counted to 3"
        assert len({event.id for event in resumed.taken if event.id}) == len([e for e in resumed.taken if e.id])


async def test_what_was_said_while_the_standalone_stream_was_away_is_replayed_in_order(where: str) -> None:
    async with sdk_server(where, Gate()) as url, session(url) as wire:
        async with wire.listening() as stream:
            await wire.call("tell", text="one")
            assert (await stream.message())["params"]["data"] == "one"
            held = stream.last_id
        for text in ("two", "three"):
            await wire.call("tell", text=text)
        async with wire.listening(held) as resumed:
            assert [(await resumed.message())["params"]["data"] for _ in range(2)] == ["two", "three"]


async def test_another_sessions_event_id_replays_nothing(where: str) -> None:
    async with sdk_server(where, Gate()) as url, session(url) as wire, session(url, name="thief") as thief:
        async with wire.listening() as stream:
            await wire.call("tell", text="mine")
            assert (await stream.message())["params"]["data"] == "mine"
            held = stream.last_id
        await wire.call("tell", text="still mine")
        await thief.call("tell", text="the thief's")
        async with thief.listening(held) as stolen:
            try:
                heard = await stolen.rest(within=0.5)
            except TimeoutError:
                heard = []
        assert heard == [] and not [event for event in stolen.taken if event.is_message]


async def test_events_of_one_stream_are_replayed_without_those_of_the_others(where: str) -> None:
    async with EventStores(where) as stores:
        store = stores.new()
        first = await store.store_event("a", None)
        for number in range(6):
            await store.store_event("ab"[number % 2], note(number))
        assert await replayed(store, first) == ("a", ["0", "2", "4"])
        last = await store.store_event("b", note(9))
        assert await replayed(store, last) == ("b", []), "nothing came after it, and its stream is known all the same"


async def test_an_id_that_was_never_issued_replays_nothing(where: str) -> None:
    async with EventStores(where) as stores:
        store, other = stores.new(), stores.new()
        mine = await store.store_event("a", note(1))
        await other.store_event("a", note(2))
        later = mine.replace(".1.1.", ".1.fff.")
        assert later != mine
        for wrong in ("", "1", "nonsense", "0" * 500, later):
            assert await replayed(store, wrong) == (None, [])
        assert await replayed(other, mine) == (None, [])


async def test_a_session_keeps_its_newest_events_by_count_and_a_stream_replays_its_own_bound(where: str) -> None:
    async with EventStores(where, max_events=100, max_events_per_stream=10) as stores:
        store = stores.new()
        first = await store.store_event("a", note(0))
        for number in range(1, 50):
            await store.store_event("a", note(number))
        stream, texts = await replayed(store, first)
        assert (stream, texts) == ("a", [str(number) for number in range(40, 50)])
        for number in range(300):
            await store.store_event(f"b{number}", note(number))
        assert await replayed(store, first) == (None, []), "dropped with the rest of its stream"


async def test_requests_keep_the_type_of_their_id(where: str) -> None:
    async with EventStores(where) as stores:
        store = stores.new()
        start = await store.store_event("a", None)
        for request_id in (5, "5"):
            await store.store_event("a", JSONRPCRequest(jsonrpc="2.0", id=request_id, method="ping"))
        sent: list[EventMessage] = []

        async def keep(each: EventMessage) -> None:
            sent.append(each)

        await store.replay_events_after(start, keep)
        assert [getattr(each.message, "id", None) for each in sent] == [5, "5"]


def note(number: int) -> JSONRPCNotification:
    params = {"level": "info", "data": str(number)}
    return JSONRPCNotification(jsonrpc="2.0", method="notifications/message", params=params)


async def replayed(store: Any, last_event_id: str) -> tuple[str | None, list[str]]:
    sent: list[Any] = []

    async def keep(each: EventMessage) -> None:
        sent.append(each)

    stream = await store.replay_events_after(last_event_id, keep)
    return stream, [each.message.params["data"] for each in sent]
