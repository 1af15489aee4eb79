"""What is kept of the 2026-07-28 era: clients, handles, calls and how they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from switchroom.server.filters import parse_filter
from switchroom.server.models import Actor, EventKind, Role, SessionState
from switchroom.server.store import SqliteStore
from switchroom.server.tools import bundled_server
from tests.support.guards import Tokens, guarded_toolbox
from tests.support.modern import MODERN, connect, only_client, rows, text_of
from tests.support.servers import Site, eventually, running
from tests.support.toolbox import Toolbox, low_level_server
from tests.support.wire import Json, client, session

pytestmark = pytest.mark.anyio

OPERATOR = Actor("ann", Role.OPERATOR)


def code_of(result: Any) -> str:
    """Return the stable code of a tool's error."""
    meta: dict[str, Any] = result.meta
    return str(meta["switchroom/error"]["code"])


async def test_calls_are_recorded_per_client_and_never_listed_as_sessions() -> None:
    async with running(Toolbox().mcp) as site:
        for name in ("one", "two", "one"):
            async with connect(site, name) as modern:
                assert text_of(await modern.call_tool("echo", {"text": "hi"})) == "hi"
        shown = {row.client_name: row.request_count for row in await site.switchroom.directory.clients()}
        assert shown["one"] == 2 * shown["two"] > 0
        page = await site.switchroom.directory.sessions(parse_filter(""))
        assert (page.items, page.total) == ([], 0)
        assert site.switchroom.engine.admission.live == 0


async def test_a_calls_rows_carry_method_answer_and_duration() -> None:
    async with running(Toolbox().mcp) as site:
        async with connect(site) as modern:
            await modern.call_tool("echo", {"text": "hi"})
            await modern.call_tool("no_such_tool", {})
        live = await only_client(site)
        events = [event for event in await rows(site, live.record.id) if event.method == "tools/call"]
        assert [event.kind for event in events] == [EventKind.REQUEST, EventKind.RESPONSE] * 2
        assert events[1].related_seq == events[0].seq and events[1].duration_us is not None
        assert json.loads(events[0].payload or "")["params"]["name"] == "echo"
        assert live.record.error_count == 1
        assert not live.calls


async def test_the_same_name_under_two_principals_is_two_clients() -> None:
    tokens = Tokens()
    async with running(guarded_toolbox(tokens).mcp) as site:
        for token, subject in (("a", "ann"), ("b", "bob")):
            async with raw_modern(site, token=tokens.issue(token, subject)) as answer:
                assert answer["result"]["content"][0]["text"] == "hi"
        shown = await site.switchroom.directory.clients()
        assert sorted(row.principal or "" for row in shown) == ["ann", "bob"]


@asynccontextmanager
async def raw_modern(site: Site, *, token: str | None = None, name: str = "raw") -> AsyncGenerator[Json]:
    """Make one call without the SDK's client and yield its answer."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": name, "version": "1"},
    }
    params = {"name": "echo", "arguments": {"text": "hi"}, "_meta": meta}
    headers = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": "echo"}
    async with client(site.url, token=token) as wire:
        yield (await wire.post(wire.request_message("tools/call", params), headers=headers)).last


async def test_a_name_that_no_store_can_keep_is_known_as_it_will_be_after_a_restart(tmp_path: Path) -> None:
    counted: list[tuple[str | None, int]] = []
    for _ in range(2):
        store = SqliteStore(tmp_path / "names.db")
        async with running(Toolbox().mcp, store=store) as site, raw_modern(site, name="odd \0 name"):
            counted += [(row.client_name, row.request_count) for row in await site.switchroom.directory.clients()]
    assert counted == [("odd \ufffd name", 1), ("odd \ufffd name", 2)]


async def test_the_sdks_own_tools_list_before_a_call_is_not_counted() -> None:
    box = Toolbox()
    async with running(low_level_server(box)) as site:
        async with raw_modern(site) as answer:
            assert answer["result"]["content"][0]["text"] == "hi"
        assert box.started["tools/list"] == 1  # the SDK did ask
        live = await only_client(site)
        assert live.record.request_count == 1
        assert [event.method for event in await rows(site, live.record.id)] == ["tools/call", "tools/call"]


async def test_a_tools_list_of_the_client_is_counted() -> None:
    async with running(low_level_server()) as site:
        async with connect(site) as modern:
            await modern.list_tools()
        methods = [event.method for event in await rows(site, (await only_client(site)).record.id)]
        assert "tools/list" in methods


async def test_an_operator_cancels_a_call() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, connect(site) as modern:
        call = asyncio.create_task(modern.call_tool("wait", {}))
        await eventually(lambda: box.started["wait"])
        live = await only_client(site)
        (shown,) = site.switchroom.directory.in_flight(live.record.id)
        result = await site.switchroom.operations.cancel(OPERATOR, live.record.id, shown.request_id, "runaway")
        assert result.outcome == "cancelled"
        with pytest.raises(MCPError, match="runaway"):
            await call
        assert box.cancelled["wait"] == 1


async def test_a_client_that_leaves_cancels_its_call_and_the_log_says_so() -> None:
    box = Toolbox()
    async with running(box.mcp) as site:
        async with connect(site) as modern:
            call = asyncio.create_task(modern.call_tool("wait", {}))
            await eventually(lambda: box.started["wait"])
            call.cancel()
            await eventually(lambda: box.cancelled["wait"] == 1)
        live = await only_client(site)
        await eventually(lambda: not live.calls)
        assert (await rows(site, live.record.id))[-1].error_code == -32800


@pytest.mark.parametrize("kind", ["own", "exit", "interrupt", "cancel", "generator"])
async def test_a_base_exception_fails_its_own_call_only(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire, connect(site) as modern:
        with pytest.raises(MCPError):
            await modern.call_tool("vanish", {"kind": kind})
        assert text_of(await modern.call_tool("echo", {"text": "alive"})) == "alive"
        assert (await wire.call("echo", text="alive")).status == 200
    caplog.clear()


# -- handles -----------------------------------------------------------------------------------


async def test_a_handle_is_a_session_with_keys_and_its_secret_is_masked_in_every_log() -> None:
    async with running(bundled_server()) as site, connect(site, "keeper") as modern:
        handle = text_of(await modern.call_tool("open_session", {}))
        stored = await modern.call_tool("set_session_data", {"key": "k", "value": "v", "session_id": handle})
        assert "version 1" in text_of(stored)
        got = await modern.call_tool("get_session_data", {"key": "k", "session_id": handle})
        assert text_of(got).startswith("k = v")
        (seen,) = (await site.switchroom.directory.sessions(parse_filter(""))).items
        assert (seen.kind.value, seen.client_name, seen.request_count, seen.key_count) == ("handle", "keeper", 2, 1)
        assert seen.mcp_session_id_prefix == handle[:8]
        for live in site.switchroom.engine.by_id.values():
            for event in await rows(site, live.record.id):
                assert handle not in (event.payload or "")
        assert any(handle[:8] in (event.payload or "") for event in await rows(site, seen.id))


async def test_calls_without_a_valid_handle_are_told_what_to_do() -> None:
    async with running(bundled_server()) as site, connect(site) as modern:
        without = await modern.call_tool("get_session_data", {"key": "k"})
        assert without.is_error and "open_session first" in text_of(without)
        assert code_of(without) == "session_needed"
        forged = await modern.call_tool("get_session_data", {"key": "k", "session_id": "h_forged"})
        assert forged.is_error and "Unknown session_id" in text_of(forged)
        assert code_of(forged) == "session_unknown"


async def test_whoever_holds_an_ended_handle_is_told_why_it_ended_and_how_to_go_on() -> None:
    async with running(bundled_server()) as site, connect(site) as modern:
        mine = {"session_id": text_of(await modern.call_tool("open_session", {}))}
        slow = asyncio.create_task(modern.call_tool("wait", {"seconds": 60, **mine}))
        engine = site.switchroom.engine
        await eventually(lambda: any(live.record.kind.value == "handle" and live.in_flight for live in engine.live()))
        (live,) = engine.live()
        await engine.end(live, SessionState.EXPIRED, "operator", by="ada", reason="end of day")
        ended = "This session was expired by an operator: end of day. Call open_session to start a new one."
        with pytest.raises(MCPError) as cut:
            await slow
        assert (cut.value.error.code, cut.value.error.message) == (-32001, ended)
        for tool, arguments in (("list_session_keys", mine), ("close_session", mine)):
            told = await modern.call_tool(tool, arguments)
            assert text_of(told).endswith(ended) and code_of(told) == "session_ended"


async def test_closing_a_handle_answers_the_call_that_closes_it() -> None:
    async with running(bundled_server()) as site, connect(site) as modern:
        handle = text_of(await modern.call_tool("open_session", {}))
        closed = await modern.call_tool("close_session", {"session_id": handle})
        assert not closed.is_error and text_of(closed).startswith("Closed session")
        await eventually(lambda: site.switchroom.engine.admission.live == 0)
        again = await modern.call_tool("list_session_keys", {"session_id": handle})
        assert again.is_error and "closed by its client. Call open_session" in text_of(again)
        assert code_of(again) == "session_ended"
        (seen,) = (await site.switchroom.directory.sessions(parse_filter(""))).items
        assert (seen.state, seen.request_count) == (SessionState.CLOSED, 1)


async def test_expiring_a_handle_ends_its_calls() -> None:
    async with running(bundled_server()) as site, connect(site) as modern:
        handle = text_of(await modern.call_tool("open_session", {}))
        call = asyncio.create_task(
            modern.call_tool("set_session_data", {"key": "k", "value": "v", "session_id": handle})
        )
        await call
        (seen,) = (await site.switchroom.directory.sessions(parse_filter(""))).items
        await site.switchroom.operations.expire(OPERATOR, "enough", session_ids=[seen.id])
        told = await modern.call_tool("get_session_data", {"key": "k", "session_id": handle})
        assert told.is_error


async def test_a_handle_is_no_session_id_of_the_handshake_era() -> None:
    async with running(bundled_server()) as site, connect(site) as modern:
        handle = text_of(await modern.call_tool("open_session", {}))
        async with client(site.url) as wire:
            wire.session_id = handle
            answer = await wire.request("ping")
            assert answer.last["error"] == {"code": -32600, "message": "Session not found"}


# -- stateless_http ----------------------------------------------------------------------------


async def test_stateless_calls_are_recorded_without_a_session() -> None:
    async with running(Toolbox().mcp, options={"stateless_http": True}) as site, client(site.url) as wire:
        answer = await wire.initialize(announce=False)
        assert "result" in answer.last and wire.session_id is None
        called = await wire.call("echo", text="hi")
        assert called.last["result"]["content"][0]["text"] == "hi"
        assert (await site.switchroom.directory.sessions(parse_filter(""))).total == 0
        live = await only_client(site)
        assert (live.record.request_count, live.in_flight) == (2, 0)
        assert [e.method for e in await rows(site, live.record.id)] == ["initialize"] * 2 + ["tools/call"] * 2


async def test_an_operator_cancels_a_stateless_call() -> None:
    box = Toolbox()
    async with running(box.mcp, options={"stateless_http": True}) as site, client(site.url) as wire:
        call = asyncio.create_task(wire.call("wait"))
        await eventually(lambda: box.started["wait"])
        live = await only_client(site)
        (shown,) = site.switchroom.directory.in_flight(live.record.id)
        result = await site.switchroom.operations.cancel(OPERATOR, live.record.id, shown.request_id, "runaway")
        assert result.outcome == "cancelled"
        assert "runaway" in (await call).last["error"]["message"]


async def test_a_stateless_call_that_calls_itself_a_listen_stream_is_counted_as_a_call() -> None:
    box, options = Toolbox(), {"stateless_http": True}
    async with running(box.mcp, options=options, max_in_flight_per_address=1) as site, client(site.url) as wire:
        call = asyncio.create_task(wire.call("wait"))
        await eventually(lambda: box.started["wait"])
        another = await wire.post(wire.call_message("wait"), headers={"mcp-method": "subscriptions/listen"})
        assert another.status == 429
        box.let_go()
        assert (await call).status == 200


async def test_a_stateless_client_of_the_sdk_is_served_and_recorded() -> None:
    async with running(Toolbox().mcp, options={"stateless_http": True}) as site:
        async with Client(site.url, mode="legacy") as legacy:
            assert text_of(await legacy.call_tool("echo", {"text": "hi"})) == "hi"
        assert (await only_client(site)).record.error_count == 0


async def test_without_sessions_a_client_of_the_handshake_era_keeps_state_behind_a_handle_too() -> None:
    async with running(bundled_server(), options={"stateless_http": True}) as site:
        async with Client(site.url, mode="legacy") as legacy:
            without = await legacy.call_tool("set_session_data", {"key": "k", "value": "v"})
            assert "call open_session first" in text_of(without) and code_of(without) == "session_needed"
            mine = {"session_id": text_of(await legacy.call_tool("open_session", {}))}
            await legacy.call_tool("set_session_data", {"key": "k", "value": "v", **mine})
            assert text_of(await legacy.call_tool("get_session_data", {"key": "k", **mine})).startswith("k = v")
        assert (await only_client(site)).record.protocol_version == "2025-11-25"


def test_the_low_level_server_of_these_tests_has_no_resources() -> None:
    server: Server[Any] = low_level_server()
    assert server.get_request_handler("resources/list") is None
