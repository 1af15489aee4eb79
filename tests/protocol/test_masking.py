"""Secrets of calls: the client gets them, also when it resumes; the log never has them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastmcp import FastMCP
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)
from pydantic import BaseModel, SecretStr

from switchroom.server.current import hidden_now
from switchroom.server.data import Secret, hide, log_message
from switchroom.server.logs import JsonLines
from switchroom.server.models import Actor, Event, EventKind, Role
from switchroom.server.sealing import make_key
from switchroom.server.store import SqliteStore
from switchroom.server.transport.masking import KEY_GONE
from tests.support.clients import connected, text_of
from tests.support.modern import headers, message, rows
from tests.support.servers import Site, running
from tests.support.wire import client, session

pytestmark = pytest.mark.anyio

TOKEN = "mk-issued-4f1c9d"
PASSWORD = "mk-password-77ab02"
ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])


class Account(BaseModel):
    """A result with one secret member."""

    owner: str
    number: Annotated[str, Secret()]


def vault() -> MCPServer[Any]:
    """Return a server whose tools are given secrets and give some."""
    mcp: MCPServer[Any] = MCPServer("vault")

    @mcp.tool()
    async def login(name: str, password: SecretStr, ctx: Context) -> str:
        """Echo a secret everywhere."""
        await log_message(ctx, "info", f"{name} sent {password.get_secret_value()}")
        return f"{name}:{password.get_secret_value()}"

    @mcp.tool()
    async def refuse(password: SecretStr) -> str:
        """Fail with a secret in the message."""
        raise ToolError(f"{password.get_secret_value()} is wrong")

    @mcp.tool()
    async def issue() -> Annotated[str, Secret()]:
        """Return a secret."""
        return TOKEN

    @mcp.tool()
    async def issue_slowly(ctx: Context) -> Annotated[str, Secret()]:
        """Return a secret on a live stream."""
        await ctx.report_progress(1, 2, "half")
        await ctx.close_sse_stream()
        await asyncio.sleep(0.05)
        return TOKEN

    @mcp.tool()
    async def account() -> Account:
        """Return a secret among other things."""
        return Account(owner="ann", number=TOKEN)

    @mcp.tool()
    async def discover() -> str:
        """Come to know a secret."""
        hide(TOKEN)
        return f"found {TOKEN}"

    @mcp.tool()
    async def ask_for_pin(ctx: Context) -> str:
        """Ask for a secret in a form, and repeat it."""
        schema = {"type": "object", "properties": {"pin": {"type": "string", "x-secret": True}}}
        params = ElicitRequestFormParams(message="The pin?", requested_schema=schema)
        related = ServerMessageMetadata(related_request_id=ctx.request_id)
        answer = await ctx.session.send_request(ElicitRequest(params=params), ElicitResult, metadata=related)
        return f"the pin is {(answer.content or {})['pin']}"

    @mcp.prompt()
    async def greeting() -> str:
        """A prompt with a secret in it."""
        hide(TOKEN)
        return f"say {TOKEN}"

    @mcp.resource("vault://token")
    async def token() -> str:
        """A resource that is a secret."""
        hide(TOKEN)
        return f"it is {TOKEN}"

    return mcp


@asynccontextmanager
async def site(**settings: Any) -> AsyncGenerator[Site]:
    async with running(vault(), **settings) as served:
        yield served


async def events(served: Site) -> list[Event]:
    """Return everything that every session and client has in its log."""
    found: list[Event] = []
    for live in list(served.switchroom.engine.by_id):
        found += await rows(served, live)
    return found


async def log_of(served: Site) -> str:
    """Return every payload as one text."""
    found = await events(served)
    assert [event.seq for event in found]
    return "\n".join(event.payload or "" for event in found)


@ERAS
async def test_a_secret_argument_and_its_echoes_are_masked(mode: str) -> None:
    async with site() as served, connected(served.url, mode=mode) as (caller, hearing):
        answer = await caller.call_tool("login", {"name": "ann", "password": PASSWORD})
        assert text_of(answer) == f"ann:{PASSWORD}"
        if mode == "legacy":
            await hearing.until_logged(f"ann sent {PASSWORD}")
        refused = await caller.call_tool("refuse", {"password": PASSWORD})
        assert refused.is_error and PASSWORD in text_of(refused)
        log = await log_of(served)
        assert PASSWORD not in log and "ann:[redacted]" in log and "[redacted] is wrong" in log
        assert ("ann sent [redacted]" in log) is (mode == "legacy")


@ERAS
async def test_a_secret_result_reaches_its_client_alone(mode: str) -> None:
    async with site() as served, connected(served.url, mode=mode) as (caller, _):
        assert text_of(await caller.call_tool("issue", {})) == TOKEN
        answer = await caller.call_tool("account", {})
        assert answer.structured_content == {"owner": "ann", "number": TOKEN}
        assert text_of(await caller.call_tool("discover", {})) == f"found {TOKEN}"
        log = await log_of(served)
        assert TOKEN not in log and "ann" in log and "found [redacted]" in log
        found = await events(served)
        assert TOKEN not in repr(found)
        answers = [event for event in found if event.payload is not None and "[redacted]" in event.payload]
        assert len(answers) == 3
        # Only the handshake era can resume, so only there the whole answer is kept, sealed.
        assert all((event.sealed is not None) is (mode == "legacy") for event in answers)
        assert all(event.size_bytes != len(event.payload or "") for event in answers)


async def test_a_client_that_resumes_gets_the_whole_answer() -> None:
    async with site(stream_after_seconds=5) as served, session(served.url) as wire:
        async with wire.streaming(wire.call_message("issue_slowly", token="p")) as stream:
            await stream.rest()
        async with wire.listening(stream.last_id) as again:
            answer = await again.until(lambda message: "result" in message)
        assert answer["result"]["structuredContent"] == {"result": TOKEN}
        assert TOKEN not in repr(await events(served))


@pytest.mark.parametrize("is_lasting", [True, False])
async def test_after_a_restart_the_answer_is_whole_with_a_key_ring_and_explained_without(
    tmp_path: Path, is_lasting: bool
) -> None:
    keys: dict[str, Any] = {"secret_keys": make_key("k1")} if is_lasting else {}
    path = tmp_path / "s.db"
    async with running(vault(), store=SqliteStore(path), **keys) as served, session(served.url) as wire:
        async with wire.streaming(wire.call_message("issue_slowly", token="p")) as stream:
            await stream.rest()
        async with asyncio.timeout(5):
            while not [e for e in await events(served) if e.kind is EventKind.RESPONSE and e.method == "tools/call"]:
                await asyncio.sleep(0.01)
    assert TOKEN.encode() not in path.read_bytes()
    async with running(vault(), store=SqliteStore(path), **keys) as served:
        async with client(served.url) as back:
            back.session_id, back.version = wire.session_id, wire.version
            async with back.listening(stream.last_id) as again:
                message = await again.until(lambda each: "id" in each)
        if is_lasting:
            assert message["result"]["structuredContent"] == {"result": TOKEN}
        else:
            assert message["error"]["message"] == KEY_GONE


async def test_a_redacted_message_is_not_replayed() -> None:
    async with site() as served, connected(served.url) as (caller, hearing):
        await caller.call_tool("login", {"name": "ann", "password": PASSWORD})
        await hearing.until_logged(f"ann sent {PASSWORD}")
        live = served.live()
        (told,) = [event for event in await events(served) if event.method == "notifications/message"]
        operator = Actor("ann", Role.OPERATOR)
        result = await served.switchroom.operations.replay(operator, live.record.id, seqs=[told.seq])
        assert [(item.status, item.reason) for item in result.items] == [
            ("skipped", "it held a secret, which is not sent again")
        ]


async def test_a_tool_that_comes_later_is_known_by_its_first_call() -> None:
    mcp = vault()
    async with running(mcp) as served, connected(served.url) as (caller, _):
        await caller.call_tool("issue", {})

        @mcp.tool()
        async def later(password: SecretStr) -> str:
            """Take a secret."""
            return "thanks"

        await caller.call_tool("later", {"password": PASSWORD})
        mcp.remove_tool("issue")

        @mcp.tool()
        async def issue(password: SecretStr) -> str:
            """Take a secret under a name that had none."""
            return "thanks"

        await caller.call_tool("issue", {"password": PASSWORD})
        assert PASSWORD not in await log_of(served)


@ERAS
async def test_an_error_that_quotes_a_long_secret_in_part_does_so_to_its_client_alone(mode: str) -> None:
    mcp: MCPServer[Any] = MCPServer("quoting")
    head, tail = "sk-live-0123456789", "9876543210-the-end"
    long = f"{head}{'x' * 60}{tail}"

    @mcp.tool()
    async def login(user: str, password: SecretStr) -> str:
        """Take a secret."""
        return "thanks"

    async with running(mcp) as served, connected(served.url, mode=mode) as (caller, _):
        for given in (
            {"password": long},
            {"user": "ana", "password": [long]},
            {"user": "ana", "password": {"a": long}},
        ):
            assert tail in text_of(await caller.call_tool("login", given))
        kept = await log_of(served)
        assert head not in kept and tail not in kept and "input_value=[redacted]" in kept


def low_level() -> Server[Any]:
    """Return a low-level server whose schema is written by hand."""

    async def list_tools(ctx: ServerRequestContext[Any], params: PaginatedRequestParams | None) -> ListToolsResult:
        schema = {"type": "object", "properties": {"password": {"type": "string", "writeOnly": True}}}
        return ListToolsResult(tools=[Tool(name="login", input_schema=schema)])

    async def call_tool(ctx: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        return CallToolResult(content=[TextContent(text=f"got {(params.arguments or {})['password']}")])

    return Server("low-level", version="1.0", on_list_tools=list_tools, on_call_tool=call_tool)


@ERAS
async def test_a_low_level_servers_schema_is_read_before_its_first_call(mode: str) -> None:
    async with running(low_level()) as served, connected(served.url, mode=mode) as (caller, _):
        assert text_of(await caller.call_tool("login", {"password": PASSWORD})) == f"got {PASSWORD}"
        assert PASSWORD not in await log_of(served)


@ERAS
@pytest.mark.parametrize("looks_up", [False, True], ids=["listed", "looked up"])
async def test_a_mark_on_a_later_page_of_a_low_level_server_is_read_before_the_first_call(
    mode: str, looks_up: bool
) -> None:
    async with running(paged(looks_up=looks_up)) as served, connected(served.url, mode=mode) as (caller, _):
        for _ in range(2):
            assert text_of(await caller.call_tool("login", {"password": PASSWORD})) == f"got {PASSWORD}"
        assert PASSWORD not in await log_of(served)


def paged(*, looks_up: bool) -> Server[Any]:
    """Return the low-level server with its tool on the third page of its list."""
    server = low_level()
    listed = server.get_request_handler("tools/list")
    assert listed is not None

    async def list_tools(ctx: ServerRequestContext[Any], params: PaginatedRequestParams) -> Any:
        page = int(params.cursor or 0)
        if page < 2:
            other = Tool(name=f"other-{page}", input_schema={"type": "object"})
            return ListToolsResult(tools=[other], next_cursor=str(page + 1))
        return await listed.handler(ctx, params)

    server.add_request_handler("tools/list", PaginatedRequestParams, list_tools)
    if looks_up:
        server.get_tool_input_schema = {"login": {"type": "object"}}.get
    return server


@ERAS
async def test_fastmcps_tools_are_read_too(mode: str) -> None:
    mcp: FastMCP[Any] = FastMCP("fast")

    @mcp.tool
    async def login(password: SecretStr) -> Annotated[str, Secret()]:
        """Take a secret and give one."""
        return TOKEN

    async with running(mcp) as served, connected(served.url, mode=mode) as (caller, _):
        assert text_of(await caller.call_tool("login", {"password": PASSWORD})) == TOKEN

        @mcp.tool
        async def later(password: SecretStr) -> str:
            """Come later."""
            return "thanks"

        await caller.call_tool("later", {"password": PASSWORD})
        log = await log_of(served)
        assert PASSWORD not in log and TOKEN not in log


async def test_a_call_without_marks_is_logged_as_it_was_sent() -> None:
    async with site() as served, session(served.url) as wire:
        message = wire.call_message("discover", unknown=PASSWORD)
        await wire.post(message)
        (request,) = [event for event in await events(served) if event.method == "tools/call" and not event.related_seq]
        assert json.loads(request.payload or "") == message


@ERAS
async def test_what_a_prompt_or_a_resource_hides_reaches_its_client_alone(mode: str) -> None:
    async with site() as served, connected(served.url, mode=mode) as (caller, _):
        prompt: Any = (await caller.get_prompt("greeting")).messages[0].content
        resource: Any = (await caller.read_resource("vault://token")).contents[0]
        assert (prompt.text, resource.text) == (f"say {TOKEN}", f"it is {TOKEN}")
        log = await log_of(served)
        assert TOKEN not in log and "say [redacted]" in log and "it is [redacted]" in log


async def test_what_a_form_marks_as_secret_is_masked_in_its_answer_and_in_what_repeats_it() -> None:
    async def type_in(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"pin": PASSWORD})

    async with site() as served, connected(served.url, elicitation_callback=type_in) as (caller, _):
        assert text_of(await caller.call_tool("ask_for_pin", {})) == f"the pin is {PASSWORD}"
        log = await log_of(served)
        assert PASSWORD not in log and '"pin":"[redacted]"' in log and "the pin is [redacted]" in log


async def test_what_a_form_of_the_newer_era_marks_is_masked_in_the_request_that_fills_it_in() -> None:
    mcp: MCPServer[Any] = MCPServer("asking")

    @mcp.tool()
    async def open_safe(ctx: Context) -> str | InputRequiredResult:
        """Ask for a secret and something else in a form, and repeat both."""
        answers: Any = ctx.input_responses
        if answers:
            return f"{answers['form'].content}"
        secret, open_to_all = {"type": "string", "format": "password"}, {"type": "string"}
        schema = {"type": "object", "properties": {"pin": secret, "name": open_to_all}}
        params = ElicitRequestFormParams(message="The pin?", requested_schema=schema)
        return InputRequiredResult(input_requests={"form": ElicitRequest(params=params)})

    async def type_in(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"pin": PASSWORD, "name": "Anna-Maria"})

    async with running(mcp) as served, connected(served.url, mode="auto", elicitation_callback=type_in) as (caller, _):
        assert PASSWORD in text_of(await caller.call_tool("open_safe", {}))
        log = await log_of(served)
        assert PASSWORD not in log and '"pin":"[redacted]"' in log and '"name":"Anna-Maria"' in log
        async with client(served.url) as wire:  # a form that was never asked for
            meta = {"inputResponses": {"other": {"action": "accept", "content": {"key": "made-up-key"}}}}
            body = message("tools/call", {"name": "open_safe", "arguments": {}, **meta})
            assert (await wire.post(body, headers=headers("tools/call", "open_safe"))).status == 200
        found = await served.switchroom.directory.clients()
        payloads = [each.payload or "" for client_row in found for each in await rows(served, client_row.id)]
        assert payloads and not any("made-up-key" in payload for payload in payloads)


@ERAS
async def test_a_secret_in_the_error_of_a_low_level_server_is_in_no_line_of_the_log(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = low_level()

    async def call_tool(ctx: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        raise RuntimeError(f"cannot use {(params.arguments or {})['password']}")

    server.add_request_handler("tools/call", CallToolRequestParams, call_tool)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines(hidden_now))
    logging.getLogger().addHandler(handler)
    try:
        async with running(server) as served, connected(served.url, mode=mode) as (caller, _):
            with pytest.raises(MCPError):
                await caller.call_tool("login", {"password": PASSWORD})
    finally:
        logging.getLogger().removeHandler(handler)
        caplog.clear()
    assert "cannot use [redacted]" in written.getvalue() and PASSWORD not in written.getvalue()
