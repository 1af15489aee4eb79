"""Calls of the 2026-07-28 era to servers that list their tools themselves, well or badly."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)

from tests.support.modern import calling
from tests.support.servers import running
from tests.support.wire import client

pytestmark = pytest.mark.anyio


async def test_a_list_of_tools_that_breaks_harms_no_call(caplog: pytest.LogCaptureFixture) -> None:
    body, named = calling("echo", {"text": "hi"})
    for error in (RuntimeError("broken"), SystemExit(3), asyncio.CancelledError()):
        async with running(listing(error)) as site, client(site.url) as wire:
            answer = await wire.post(body, headers=named)
            assert (answer.status, answer.last["result"]["content"][0]["text"]) == (200, "hi")
    assert "uvicorn.error" not in {each.name for each in caplog.records}
    caplog.clear()  # what its author has to mend is logged


async def test_a_client_that_leaves_while_the_tools_are_listed_is_not_waited_for() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with running(listing(hang)) as site, client(site.url) as wire:
        body, named = calling("echo", {"text": "hi"})
        call = asyncio.create_task(wire.post(body, headers=named))
        await asyncio.wait_for(started.wait(), 5)
        call.cancel()
        await asyncio.wait_for(ended.wait(), 5)


async def test_an_envelope_that_lists_no_tools_is_answered_without_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body, named = calling("echo", {"text": "hi"}, **{"io.modelcontextprotocol/clientCapabilities": 5})
    async with running(listing(None)) as site, client(site.url) as wire:
        answer = await wire.post(body, headers=named)
        assert (answer.status, answer.last["error"]["code"]) == (400, -32602)
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


def listing(how: Any) -> Server[Any]:
    """Return a low-level server whose `tools/list` raises an error or awaits a function; its tool echoes."""

    async def list_tools(ctx: ServerRequestContext[Any], params: PaginatedRequestParams | None) -> ListToolsResult:
        if isinstance(how, BaseException):
            raise how
        if how is not None:
            await how()
        return ListToolsResult(tools=[Tool(name="echo", input_schema={"type": "object"})])

    async def call_tool(ctx: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        return CallToolResult(content=[TextContent(text=str((params.arguments or {})["text"]))])

    return Server("listing", version="1.0", on_list_tools=list_tools, on_call_tool=call_tool)
