"""Where marks are read from: schemas of low-level servers and FastMCP, and forms that clients fill in."""

from __future__ import annotations

import io
import logging
from typing import Annotated, Any

import pytest
from fastmcp import FastMCP
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.exceptions import MCPError
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
from pydantic import SecretStr

from switchroom.server.current import hidden_now
from switchroom.server.data import Secret
from switchroom.server.logs import JsonLines
from tests.support.clients import connected, text_of
from tests.support.modern import headers, message, rows
from tests.support.secret_tools import PASSWORD, TOKEN, log_of, site
from tests.support.servers import running
from tests.support.wire import client

pytestmark = pytest.mark.anyio

ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])


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
