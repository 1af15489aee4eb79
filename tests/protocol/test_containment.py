"""What handlers must not be able to do to anybody but their own call."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp_types import CallToolRequestParams, NotificationParams

from switchroom.server.models import EventKind
from switchroom.server.store import EventQuery
from tests.support.raw import raw_connection
from tests.support.servers import eventually, running
from tests.support.toolbox import Toolbox, low_level_server
from tests.support.wire import session, text_of

pytestmark = pytest.mark.anyio


async def test_a_result_without_a_json_form_is_an_error_of_its_own_call(caplog: pytest.LogCaptureFixture) -> None:
    box = Toolbox()

    async def short_circuit(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method != "tools/call":
            return await call_next(ctx)
        deep: Any = "bottom"
        for _ in range(100_000):
            deep = [deep]
        return {"unknown": {"value": object()}, "deep": {"value": deep}}[(ctx.params or {})["name"]]

    box.mcp.middleware.append(short_circuit)
    async with running(box.mcp) as site, session(site.url) as wire:
        for name in ("unknown", "deep"):
            answer = await wire.call(name)
            assert (answer.last["error"]["code"], answer.status) == (-32603, 200)
        assert (await wire.request("ping")).last["result"] == {}
        assert site.live().in_flight == 0
    caplog.clear()


async def test_infinite_numbers_in_a_result_become_null() -> None:
    async def call_tool(ctx: ServerRequestContext[Any], params: CallToolRequestParams) -> dict[str, Any]:
        return {"content": [], "structuredContent": {"value": float("inf"), "text": "\ud800"}}

    server: Server[Any] = Server("odd")
    server.add_request_handler("tools/call", CallToolRequestParams, call_tool)
    async with running(server) as site, session(site.url) as wire:
        answer = await wire.call("infinite")
        assert answer.text.isascii()
        assert answer.last["result"]["structuredContent"]["value"] is None


@pytest.mark.parametrize("kind", ["own", "exit", "interrupt", "cancel", "generator"])
async def test_a_base_exception_fails_its_own_call_and_nothing_else(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire, session(site.url) as other:
        async with other.streaming(other.call_message("wait")) as bystander:
            await bystander.next()
            answer = await wire.call("vanish", id=1, kind=kind)
            assert (answer.status, answer.last["id"]) == (200, 1)
            assert "error" in answer.last
            assert text_of((await wire.call("echo", text="same session")).last) == "same session"
            box.let_go()
            assert text_of((await bystander.rest())[-1]) == "waited"
    caplog.clear()


async def test_a_base_exception_in_a_notification_handler_is_contained(caplog: pytest.LogCaptureFixture) -> None:
    raised: list[str] = []

    async def vanish(ctx: ServerRequestContext[Any], params: NotificationParams) -> None:
        raised.append("vanished")
        raise SystemExit(3)

    server = low_level_server()
    server.add_notification_handler("notifications/roots/list_changed", NotificationParams, vanish)
    async with running(server) as site, session(site.url) as wire:
        assert (await wire.notify("notifications/roots/list_changed")).status == 202
        await eventually(lambda: raised)
        assert text_of((await wire.call("echo", text="alive")).last) == "alive"
    assert any(
        "notifications/roots/list_changed" in r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR
    )
    caplog.clear()


async def test_a_base_exception_in_a_sessions_clean_up_is_contained(caplog: pytest.LogCaptureFixture) -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire, session(site.url) as other:

        def vanish() -> None:
            raise SystemExit(3)

        for live in site.switchroom.engine.by_id.values():
            live.resident.connection.exit_stack.callback(vanish)
        assert (await wire.delete()).status_code == 200
        assert text_of((await other.call("echo", text="alive")).last) == "alive"
    caplog.clear()


async def test_a_handler_that_outruns_its_reader_waits_at_the_high_water_mark() -> None:
    box = Toolbox()
    high_water = 256 * 1024
    async with running(box.mcp, high_water_bytes=high_water) as site, session(site.url) as wire:
        body = json.dumps(wire.call_message("emit", id="big", count=8_000, size=1000)).encode()
        async with raw_connection(site.url, buffer=1 << 12) as raw:
            await raw.send_request(wire, "POST", body)
            await eventually(lambda: box.emitted > 100)
            stalled = -1
            while stalled != box.emitted:
                stalled = box.emitted
                assert text_of((await wire.call("echo", text="others go on")).last) == "others go on"
            # The mark, and what the sockets hold between them.
            assert stalled < 7_000
            assert await raw.read_until(b"emitted 8000", within=30)
        assert box.emitted == 8_000


async def test_twenty_megabytes_to_a_client_that_left_are_bounded_by_retention() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("emit", id="big", count=20_000, size=1000)) as stream:
            await stream.message()
        await eventually(lambda: site.live().in_flight == 0, within=20)
        record = site.live().record
        assert record.last_seq > 20_000
        page = await site.switchroom.directory.events(record.id, EventQuery(kinds=(EventKind.RESPONSE,), limit=5))
        assert page.events[-1].request_id == '"big"'
