"""How a request of the 2026-07-28 era is answered: a body, a stream, or nothing to a client that has left."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from mcp.server.mcpserver import Context
from pydantic import SecretStr

from switchroom.server.data import log_message
from switchroom.server.models import Direction, EventKind
from tests.support.modern import LOG_LEVEL, OPERATOR, calling, headers, message, only_client, rows
from tests.support.servers import Site, eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import Json, client, session

pytestmark = pytest.mark.anyio


async def test_a_quick_answer_is_one_body() -> None:
    body, named = calling("echo", {"text": "hi"})
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        answer = await wire.post(body, headers=named)
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert answer.last["id"] == 7 and answer.last["result"]["content"][0]["text"] == "hi"


@pytest.mark.parametrize(
    ("body", "named", "status", "code"),
    [
        (message("no/such", {}), headers("no/such"), 404, -32601),
        (message("tools/call", {"name": 5}), headers("tools/call"), 400, None),
        (message("tools/list", {}), headers("tools/call"), 400, -32020),
        (message("tools/list", {}), headers("tools/list", **{"mcp-protocol-version": "2030-01-01"}), 400, -32020),
        ([message("tools/list", {})], headers("tools/list"), 400, -32600),
        ({"jsonrpc": "2.0", "id": 7, "result": {}}, headers("tools/list"), 400, -32600),
        (b'{"jsonrpc": "2.0", ', headers("tools/list"), 400, -32700),
        (b"[" * 500 + b"]" * 500, headers("tools/list"), 400, -32700),
        ({"jsonrpc": "2.0", "method": "notifications/x"}, headers("x"), 202, None),
        (message("tools/list", {}), headers("tools/list", accept="application/json"), 406, -32600),
        (message("tools/list", {}), headers("tools/list", **{"content-type": "text/plain"}), 400, None),
    ],
)
async def test_what_cannot_be_served_is_refused_with_the_status_of_its_code(
    body: Any, named: dict[str, str | None], status: int, code: int | None
) -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        answer = await wire.post(body, headers=named)
        assert answer.status == status, answer.text
        if code is not None:
            assert answer.last["error"]["code"] == code
        after, named = calling("echo", {"text": "alive"})
        assert (await wire.post(after, headers=named)).status == 200


async def test_the_first_notification_opens_a_stream_and_the_log_has_them_all() -> None:
    body, named = calling("emit", {"count": 3}, **{LOG_LEVEL: "info"})
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        answer = await wire.post(body, headers=named)
        assert answer.content_type == "text/event-stream"
        assert [one.get("method", "answer") for one in answer.messages] == ["notifications/message"] * 3 + ["answer"]
        events = await rows(site, (await only_client(site)).record.id)
        request, *sent, response = [event for event in events if event.kind is not EventKind.LIFECYCLE]
        assert {(event.direction, event.kind, event.stream) for event in sent} == {
            (Direction.FROM_SERVER, EventKind.NOTIFICATION, request.seq)
        }
        assert [json.loads(event.payload or "") for event in sent] == answer.messages[:3]
        assert response.related_seq == request.seq


async def test_a_silent_call_is_kept_alive_until_its_answer() -> None:
    box = Toolbox()
    body, named = calling("wait", {})
    async with running(box.mcp, ping_seconds=0.05) as site, client(site.url) as wire:
        async with wire.streaming(body, headers=named) as stream:
            assert stream.status == 200
            for _ in range(2):
                event = await stream.next()
                assert event is not None and event.comment == "ping"
            box.let_go()
            assert (await stream.message())["result"]["content"][0]["text"] == "waited"
            assert await stream.next() is None


async def test_a_json_server_drops_notifications_and_still_hears_its_client_leave() -> None:
    box = Toolbox()
    async with running(box.mcp, options={"json_response": True}) as site, client(site.url) as wire:
        only_json = {"accept": "application/json"}
        body, named = calling("emit", {"count": 3}, **{LOG_LEVEL: "info"})
        answer = await wire.post(body, headers={**named, **only_json})
        assert (answer.content_type, len(answer.messages)) == ("application/json", 1)
        body, named = calling("wait", {})
        call = asyncio.create_task(wire.post(body, headers={**named, **only_json}))
        await eventually(lambda: box.started["wait"])
        call.cancel()
        await eventually(lambda: box.cancelled["wait"])
        listen = message("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        refused = await wire.post(listen, headers={**headers("subscriptions/listen"), **only_json})
        assert refused.status == 406


async def test_progress_of_a_call_is_shown_while_it_runs() -> None:
    box = Toolbox()

    @box.mcp.tool()
    async def work(ctx: Context) -> str:
        await ctx.report_progress(3, 8, "well under way")
        await box.wait("work")
        return "done"

    body, named = calling("work", {})
    async with running(box.mcp) as site, client(site.url) as wire:
        call = asyncio.create_task(wire.post(body, headers=named))
        await eventually(lambda: box.started["work"])
        live = await only_client(site)
        (shown,) = site.switchroom.directory.in_flight(live.record.id)
        assert (shown.progress, shown.total) == (3, 8)
        box.let_go()
        assert (await call).last["result"]["content"][0]["text"] == "done"


async def test_a_client_that_reads_nothing_has_its_request_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    box = Toolbox()
    async with running(box.mcp, send_timeout_seconds=0.3) as site:
        body, named = calling("emit", {"count": 10_000, "size": 10_000}, **{LOG_LEVEL: "info"})
        writer = await send(site, body, named)
        await eventually(lambda: box.emitted)
        live = await only_client(site)
        await eventually(lambda: not live.calls, within=10)
        assert box.emitted < 10_000
        assert (await rows(site, live.record.id))[-1].error_code == -32800
        writer.transport.abort()
    caplog.clear()  # uvicorn has no quiet way to cut an answer


async def send(site: Site, body: Json, named: dict[str, str | None]) -> asyncio.StreamWriter:
    """Send a request over a connection that nobody reads."""
    address = urlsplit(site.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port, limit=1024)
    content = json.dumps(body).encode()
    lines = [f"POST {address.path} HTTP/1.1", f"host: {address.netloc}", f"content-length: {len(content)}"]
    lines += ["content-type: application/json", "accept: application/json, text/event-stream"]
    lines += [f"{name}: {value}" for name, value in named.items() if value is not None]
    writer.write("\r\n".join([*lines, "", ""]).encode() + content)
    await writer.drain()
    return writer


async def test_a_handler_that_ignores_its_cancellation_is_answered_for() -> None:
    box = Toolbox()
    async with running(box.mcp, cancel_grace_seconds=0.1) as site, client(site.url) as wire:
        body, named = calling("stubborn", {})
        call = asyncio.create_task(wire.post(body, headers=named))
        await eventually(lambda: box.started["stubborn"])
        live = await only_client(site)
        (shown,) = site.switchroom.directory.in_flight(live.record.id)
        await site.switchroom.operations.cancel(OPERATOR, live.record.id, shown.request_id, "runaway")
        answer = await call
        assert not box.finished["stubborn"] and not live.calls
        assert answer.last["error"]["code"] == -32800 and "runaway" in answer.last["error"]["message"]
        box.let_go()
        await eventually(lambda: box.finished["stubborn"])
        body, named = calling("echo", {"text": "the connection is kept"})
        assert (await wire.post(body, headers=named)).status == 200
        answers = [event.error_code for event in await rows(site, live.record.id) if event.related_seq is not None]
        assert answers == [-32800, None]


async def test_a_handler_that_is_answered_for_on_a_stream_says_nothing_afterwards() -> None:
    box = Toolbox()
    body, named = calling("emit_late", {}, **{LOG_LEVEL: "info"})
    async with running(box.mcp, cancel_grace_seconds=0.1, ping_seconds=0.05) as site, client(site.url) as wire:
        async with wire.streaming(body, headers=named) as stream:
            assert (await stream.next()) is not None
            live = await only_client(site)
            (shown,) = site.switchroom.directory.in_flight(live.record.id)
            await site.switchroom.operations.cancel(OPERATOR, live.record.id, shown.request_id, "runaway")
            assert [one["error"]["code"] for one in await stream.rest()] == [-32800]
        box.let_go()
        await eventually(lambda: box.finished["emit_late"])
        assert EventKind.NOTIFICATION not in [event.kind for event in await rows(site, live.record.id)]


async def test_what_another_call_says_on_a_stream_is_logged_with_that_stream_without_the_secrets_of_both() -> None:
    box = Toolbox()
    rooms: list[Context] = []

    @box.mcp.tool()
    async def join(ctx: Context, pin: SecretStr) -> str:
        """Be told what others say."""
        rooms.append(ctx)
        await box.wait("join")
        return "left"

    @box.mcp.tool()
    async def say(pin: SecretStr) -> str:
        """Say both secrets to whoever has joined."""
        await log_message(rooms[0], "info", f"heard 1111-2222 and {pin.get_secret_value()}")
        return "said"

    async with running(box.mcp, ping_seconds=0.05) as site, client(site.url) as wire:
        body, named = calling("join", {"pin": "1111-2222"}, **{LOG_LEVEL: "info"})
        async with wire.streaming(body, headers=named) as stream:
            said, routed = calling("say", {"pin": "3333-4444"})
            await eventually(lambda: rooms)
            assert (await wire.post(said, headers=routed)).status == 200
            assert (await stream.message())["params"]["data"] == "heard 1111-2222 and 3333-4444"
        live = await only_client(site)
        await eventually(lambda: not live.calls)
        events = await rows(site, live.record.id)
        (told,) = [event for event in events if event.kind is EventKind.NOTIFICATION]
        (joined,) = [event for event in events if '"join"' in (event.payload or "")]
        assert told.stream == joined.seq
        assert not any(pin in (event.payload or "") for event in events for pin in ("1111-2222", "3333-4444"))


async def test_half_a_surrogate_pair_is_a_value_like_any_other() -> None:
    body, named = calling("echo", {"text": "cut \ud83d"})
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        answer = await wire.post(body, headers=named)
        assert (answer.status, answer.last["result"]["content"][0]["text"]) == (200, "cut \ud83d")
        events = await rows(site, (await only_client(site)).record.id)
        assert len([event for event in events if "cut \\ud83d" in (event.payload or "")]) == 2


@pytest.mark.parametrize("era", ["handshake", "modern"])
async def test_half_a_surrogate_pair_beside_a_secret_breaks_no_answer(era: str) -> None:
    box = Toolbox()

    @box.mcp.tool()
    async def garble(ctx: Context, pin: SecretStr) -> str:
        """Say the secret and half a surrogate pair, on the way and at the end."""
        await log_message(ctx, "info", f"\ud83d {pin.get_secret_value()}")
        return f"\ud83d {pin.get_secret_value()}"

    async with running(box.mcp) as site, session(site.url) as handshake, client(site.url) as modern:
        body, named = calling("garble", {"pin": "1111-2222"}, **{LOG_LEVEL: "info"})
        is_modern = era == "modern"
        answer = await (modern.post(body, headers=named) if is_modern else handshake.call("garble", pin="1111-2222"))
        assert answer.messages[-1]["result"]["content"][0]["text"] == "\ud83d 1111-2222"
        for live in site.switchroom.engine.by_id.values():
            assert not any("1111-2222" in (event.payload or "") for event in await rows(site, live.record.id))


async def test_what_is_over_leaves_nothing_to_the_cyclic_collector() -> None:
    kept = ("ModernReply", "SessionlessCall", "CallContext", "ReadRequest", "ServerRunner", "Listener")

    def left() -> list[str]:
        return [type(each).__name__ for each in gc.get_objects() if type(each).__name__ in kept]

    listen = message("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        gc.collect()
        gc.disable()
        try:
            for body, named in (calling("echo", {"text": "hi"}), calling("emit", {"count": 2}, **{LOG_LEVEL: "info"})):
                assert (await wire.post(body, headers=named)).status == 200
            async with wire.streaming(listen, headers=headers("subscriptions/listen")) as stream:
                await stream.message()
                assert "Listener" in left()
            await eventually(lambda: not left())
        finally:
            gc.enable()
