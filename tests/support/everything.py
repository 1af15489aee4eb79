"""A server that shows every feature an `everything` server shows: the target of end-to-end tests."""

from __future__ import annotations

import asyncio
import base64
import warnings
from typing import Annotated

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel, Field

from switchroom.server.data import log_message

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class Weather(BaseModel):
    """A structured result."""

    city: str
    celsius: float


class Name(BaseModel):
    """What `greet_by_asking` asks for."""

    name: str


def everything_server() -> MCPServer:
    """Return a new server."""
    mcp = MCPServer("everything", version="1.0", instructions="Shows everything.")
    _add_tools(mcp)
    _add_interaction(mcp)
    _add_resources(mcp)
    _add_prompts(mcp)
    return mcp


def _add_tools(mcp: MCPServer) -> None:
    @mcp.tool()
    async def add(a: Annotated[int, Field(description="one")], b: int) -> int:
        """Add two numbers."""
        return a + b

    @mcp.tool()
    def weather(city: str) -> Weather:
        """Return a structured result, from a thread."""
        return Weather(city=city, celsius=21.5)

    @mcp.tool()
    async def picture() -> Image:
        """Return an image."""
        return Image(data=PIXEL, format="png")

    @mcp.tool()
    async def fail() -> str:
        """Fail on purpose."""
        raise ToolError("failed on purpose")

    @mcp.tool()
    async def long_running(ctx: Context, steps: int = 3) -> str:
        """Report progress and log."""
        for step in range(1, steps + 1):
            await ctx.report_progress(step, steps)
            await log_message(ctx, "info", f"step {step}")
            await asyncio.sleep(0.01)
        return f"{steps} steps"


def _add_interaction(mcp: MCPServer) -> None:
    @mcp.tool()
    async def greet_by_asking(ctx: Context) -> str:
        """Ask the client's user."""
        answer = await ctx.elicit("What is your name?", Name)
        return f"Hello, {answer.data.name}" if answer.action == "accept" else f"({answer.action})"

    @mcp.tool()
    async def ask_model(ctx: Context, prompt: str) -> str:
        """Ask the client's model."""
        asked = SamplingMessage(role="user", content=TextContent(text=prompt))
        with warnings.catch_warnings(action="ignore"):
            answer = await ctx.session.create_message(  # pyright: ignore[reportDeprecated]
                [asked], max_tokens=10, related_request_id=ctx.request_id
            )
        return answer.content.text if isinstance(answer.content, TextContent) else ""

    @mcp.tool()
    async def list_client_roots(ctx: Context) -> int:
        """Ask for the client's roots."""
        with warnings.catch_warnings(action="ignore"):
            return len((await ctx.session.list_roots()).roots)  # pyright: ignore[reportDeprecated]

    @mcp.tool()
    async def change_things(ctx: Context) -> str:
        """Tell the client that lists changed."""
        await ctx.session.send_tool_list_changed()
        await ctx.session.send_resource_updated("everything://static")
        return "changed"


def _add_resources(mcp: MCPServer) -> None:
    @mcp.resource("everything://static", mime_type="text/plain")
    def static() -> str:
        """Return text."""
        return "static text"

    @mcp.resource("everything://binary", mime_type="image/png")
    def binary() -> bytes:
        """Return bytes."""
        return PIXEL

    @mcp.resource("everything://items/{item}")
    def item(item: str) -> str:
        """Return one of many."""
        return f"item {item}"


def _add_prompts(mcp: MCPServer) -> None:
    @mcp.prompt()
    def review(code: str) -> str:
        """Ask for a review."""
        return f"Review this: {code}"

    # The SDK leaves this decorator without types.
    @mcp.completion()  # type: ignore[no-untyped-call, untyped-decorator]
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        """Complete an argument."""
        return Completion(values=[f"{argument.value}-completed"], has_more=False)
