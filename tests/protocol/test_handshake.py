"""`initialize`: who may open a session, and what refused ones leave behind."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp_types import LoggingMessageNotification, LoggingMessageNotificationParams
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from switchroom.server.filters import parse_filter
from switchroom.server.models import Session, SessionState
from switchroom.server.store import EventQuery
from tests.support.guards import Witness
from tests.support.servers import Site, eventually, running
from tests.support.toolbox import Toolbox, low_level_server
from tests.support.wire import client, initialize_message, session, text_of

pytestmark = pytest.mark.anyio


async def listed(site: Site) -> list[Session]:
    """Return every session the console would list, live and ended."""
    return (await site.switchroom.directory.sessions(parse_filter(""))).items


@pytest.mark.parametrize("version", HANDSHAKE_PROTOCOL_VERSIONS)
async def test_every_handshake_revision_is_negotiated_and_served(version: str) -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        answer = await wire.initialize(version, name="old hand")
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        assert answer.last["result"]["protocolVersion"] == version
        assert wire.session_id is not None and len(wire.session_id) == 32
        assert text_of((await wire.call("echo", text="hi")).last) == "hi"
        (seen,) = await listed(site)
        assert (seen.client_name, seen.protocol_version, seen.state) == ("old hand", version, SessionState.INITIALIZED)


@pytest.mark.parametrize("version", ["1999-01-01", "2026-07-28", "9999-12-31", "", "nonsense"])
async def test_an_unknown_version_is_answered_with_the_newest_handshake_revision(version: str) -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        answer = await wire.initialize(version)
        assert answer.last["result"]["protocolVersion"] == HANDSHAKE_PROTOCOL_VERSIONS[-1]
        assert text_of((await wire.call("echo", text="hi")).last) == "hi"


@pytest.mark.parametrize(
    "params",
    [
        None,
        {},
        {"protocolVersion": "2025-11-25"},
        {"protocolVersion": 7, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
        {"protocolVersion": "2025-11-25", "capabilities": [], "clientInfo": {"name": "x", "version": "1"}},
        {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": 5, "version": None}},
        {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": "me"},
    ],
)
async def test_a_malformed_initialize_is_an_error_and_leaves_no_session(params: dict[str, Any] | None) -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
        answer = await wire.post(message if params is None else {**message, "params": params})
        assert answer.last["error"]["code"] == -32602
        assert "mcp-session-id" not in answer.headers
        await eventually(lambda: not site.switchroom.engine.by_id)
        assert site.switchroom.engine.admission.live == 0


async def test_an_initialize_refused_by_middleware_is_rejected_and_listed() -> None:
    box, witness = Toolbox(), Witness(refuses_initialize=True)
    box.mcp.middleware.append(witness)
    async with running(box.mcp) as site, client(site.url) as wire:
        answer = await wire.initialize(name="turned away")
        assert answer.last["error"] == {"code": -32042, "message": "not today"}
        assert "mcp-session-id" not in answer.headers
        await eventually(lambda: not site.switchroom.engine.by_id)
        (seen,) = await listed(site)
        assert (seen.state, seen.client_name, seen.end_code) == (SessionState.REJECTED, "turned away", "refused")


async def test_a_chatty_initialize_waits_for_its_verdict_before_it_names_a_session() -> None:
    box = Toolbox()

    async def chat(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method == "initialize":
            params = LoggingMessageNotificationParams(level="info", data="thinking")
            await ctx.session.send_notification(LoggingMessageNotification(params=params), ctx.request_id)
            await box.wait("initialize")
        return await call_next(ctx)

    box.mcp.middleware.extend([chat, Witness(refuses_initialize=True)])
    async with running(box.mcp) as site, client(site.url) as wire:
        asked = asyncio.create_task(wire.post(initialize_message()))
        await eventually(lambda: box.started["initialize"])
        assert not asked.done()
        box.let_go()
        answer = await asked
        assert answer.last["error"]["code"] == -32042
        assert "mcp-session-id" not in answer.headers
        await eventually(lambda: site.switchroom.engine.admission.live == 0)


async def test_a_second_initialize_in_a_session_is_refused_and_changes_nothing() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, name="first") as wire:
        answer = await wire.post(initialize_message(id=7, name="second"))
        assert answer.status == 400
        assert answer.last["id"] == 7
        assert "already" in answer.last["error"]["message"]
        assert text_of((await wire.call("echo", text="still here")).last) == "still here"
        assert [seen.client_name for seen in await listed(site)] == ["first"]


async def test_a_request_before_initialize_is_refused() -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        answer = await wire.call("echo", id="a", text="hi")
        assert (answer.status, answer.last["id"]) == (400, "a")
        assert await listed(site) == []


async def test_requests_are_served_before_the_initialized_notification() -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        await wire.initialize(announce=False)
        assert (await listed(site))[0].state is SessionState.INITIALIZING
        assert text_of((await wire.call("echo", text="eager")).last) == "eager"
        assert (await wire.notify("notifications/initialized")).status == 202
        assert (await listed(site))[0].state is SessionState.INITIALIZED


async def test_hostile_client_info_is_kept_as_bounded_text() -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        name = "<script>\u0000\u202e\r\n" + "n" * 10_000
        answer = await wire.initialize(name=name)
        assert "result" in answer.last
        (seen,) = await listed(site)
        assert len(seen.client_name) == 256
        assert seen.client_name.startswith("<script>")


async def test_middleware_sees_one_initialize_and_one_initialized() -> None:
    box, witness = Toolbox(), Witness()
    box.mcp.middleware.append(witness)
    async with running(box.mcp) as site, session(site.url) as wire:
        await wire.call("echo", text="hi")
        assert witness.seen == {"initialize": 1, "notifications/initialized": 1, "tools/call": 1}


async def test_logging_is_declared_and_resources_are_not_where_the_server_has_none() -> None:
    async with running(low_level_server()) as site, client(site.url) as wire:
        capabilities = (await wire.initialize()).last["result"]["capabilities"]
        assert "logging" in capabilities
        assert "resources" not in capabilities
        assert (await wire.request("resources/list")).last["error"]["code"] == -32601
        assert (await wire.request("resources/read", {"uri": "a://b"})).last["error"]["code"] == -32601


async def test_announcements_off_declares_nothing() -> None:
    async with running(low_level_server(), announcements=False) as site, client(site.url) as wire:
        assert "logging" not in (await wire.initialize()).last["result"]["capabilities"]


async def test_the_log_level_is_kept_with_the_session() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        assert (await wire.request("logging/setLevel", {"level": "error"})).last["result"] == {}
        assert (await wire.request("logging/setLevel", {"level": "loud"})).last["error"]["code"] == -32602
        assert (await listed(site))[0].log_level == "error"
        assert len((await wire.call("emit", count=3)).messages) == 1, "a tool's messages below it stay away"
        assert (await wire.request("logging/setLevel", {"level": "debug"})).last["result"] == {}
        assert len((await wire.call("emit", count=3)).messages) == 4


async def test_the_first_rows_of_a_session_tell_its_handshake() -> None:
    async with running(Toolbox().mcp) as site, session(site.url):
        (seen,) = await listed(site)
        page = await site.switchroom.directory.events(seen.id, EventQuery())
        rows = [(event.seq, event.kind.value, event.method) for event in page.events]
        assert rows == [
            (1, "lifecycle", "initializing"),
            (2, "request", "initialize"),
            (3, "response", "initialize"),
            (4, "notification", "notifications/initialized"),
            (5, "lifecycle", "initialized"),
        ]
        assert json.loads(page.events[1].payload or "")["params"]["clientInfo"]["name"] == seen.client_name
