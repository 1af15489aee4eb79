"""A server with a tool for every way a handler can behave, and the handles to steer them from a test."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections import Counter
from typing import Any

import anyio
import anyio.to_thread
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    ListToolsResult,
    LoggingMessageNotification,
    LoggingMessageNotificationParams,
    PaginatedRequestParams,
    SamplingMessage,
    TextContent,
    Tool,
)
from pydantic import BaseModel

from switchroom.server.data import log_message

WAIT_SECONDS = 20.0
"""A tool that nobody lets go gives up, so that a failing test does not hang."""


class Colour(BaseModel):
    """What `ask` asks for."""

    colour: str


class Vanish(BaseException):
    """A `BaseException` of a user's own."""


class Toolbox:
    """The server, and what its tools wait for and report."""

    def __init__(self, **options: Any) -> None:
        self.mcp = MCPServer("toolbox", version="1.0", **options)
        self.gate = asyncio.Event()
        """Lets go every tool that waits."""
        self.thread_gate = threading.Event()
        self.started: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.cancelled: Counter[str] = Counter()
        self.emitted = 0
        self.bodies: list[bytes] = []
        for tools in (_quick, _waiting, _emitting, _asking, _breaking):
            tools(self)

    def let_go(self) -> None:
        self.gate.set()
        self.thread_gate.set()

    async def wait(self, name: str) -> None:
        """Be in flight until the test lets go."""
        self.started[name] += 1
        try:
            with anyio.fail_after(WAIT_SECONDS):
                await self.gate.wait()
        except anyio.get_cancelled_exc_class():
            self.cancelled[name] += 1
            raise
        self.finished[name] += 1


def _quick(box: Toolbox) -> None:
    @box.mcp.tool()
    async def echo(text: str) -> str:
        """Return the text."""
        return text

    @box.mcp.tool()
    async def body(ctx: Context) -> str:
        """Read the HTTP request's body again."""
        assert ctx.request_context.request is not None
        box.bodies.append(await ctx.request_context.request.body())
        return "read"


def _waiting(box: Toolbox) -> None:
    @box.mcp.tool()
    async def wait() -> str:
        """Wait; can be cancelled."""
        await box.wait("wait")
        return "waited"

    @box.mcp.tool()
    async def stubborn() -> str:
        """Wait and ignore cancellation."""
        with anyio.CancelScope(shield=True):
            await box.wait("stubborn")
        return "too late"

    @box.mcp.tool()
    async def block() -> str:
        """Block in a thread, which nothing can cancel."""
        box.started["block"] += 1
        await anyio.to_thread.run_sync(box.thread_gate.wait, WAIT_SECONDS)
        return "blocked"

    @box.mcp.tool()
    async def polled(ctx: Context) -> str:
        """End the call's stream, then wait: the client has to come back for the answer."""
        await ctx.close_sse_stream()
        await box.wait("polled")
        return "polled"

    @box.mcp.tool()
    async def drop_standalone(ctx: Context) -> str:
        """End the session's standalone stream."""
        await ctx.close_standalone_sse_stream()
        return "dropped"


def _emitting(box: Toolbox) -> None:
    @box.mcp.tool()
    async def emit(ctx: Context, count: int, size: int = 10) -> str:
        """Send `count` log messages on the call's own stream."""
        for number in range(count):
            await log_message(ctx, "info", f"{number}:" + "x" * size)
            box.emitted += 1
        return f"emitted {count}"

    @box.mcp.tool()
    async def emit_and_wait(ctx: Context, count: int) -> str:
        """Send `count` log messages, then wait."""
        for number in range(count):
            await log_message(ctx, "info", f"{number}")
        await box.wait("emit_and_wait")
        await log_message(ctx, "info", "after")
        return "emitted and waited"

    @box.mcp.tool()
    async def emit_late(ctx: Context) -> str:
        """Ignore cancellation, and emit when it is over."""
        with anyio.CancelScope(shield=True):
            await box.wait("emit_late")
            await log_message(ctx, "info", "too late")
        return "too late"

    @box.mcp.tool()
    async def progress(ctx: Context, steps: int) -> str:
        """Report progress."""
        for step in range(1, steps + 1):
            await ctx.report_progress(step, steps, f"step {step}")
        return "progressed"

    @box.mcp.tool()
    async def update(ctx: Context, uri: str) -> str:
        """Tell listeners of the newer era that a resource changed."""
        await ctx.notify_resource_updated(uri)
        return "updated"

    @box.mcp.tool()
    async def tell(ctx: Context, text: str) -> str:
        """Send a log message on the standalone stream."""
        params = LoggingMessageNotificationParams(level="info", data=text)
        await ctx.session.send_notification(LoggingMessageNotification(params=params))
        return "told"


def _asking(box: Toolbox) -> None:
    @box.mcp.tool()
    async def ask(ctx: Context) -> str:
        """Ask on the call's own stream."""
        box.started["ask"] += 1
        try:
            answer = await ctx.elicit("Which colour?", Colour)
        except MCPError as error:
            return f"error {error.error.code}: {error.error.message}"
        return answer.data.colour if answer.action == "accept" else answer.action

    @box.mcp.tool()
    async def ask_standalone(ctx: Context) -> str:
        """Ask on the standalone stream."""
        box.started["ask_standalone"] += 1
        params = ElicitRequestFormParams(message="Which colour?", requested_schema={"type": "object", "properties": {}})
        try:
            answer = await ctx.session.send_request(ElicitRequest(params=params), ElicitResult)
        except MCPError as error:
            return f"error {error.error.code}: {error.error.message}"
        return str(answer.action)

    @box.mcp.tool()
    async def ask_with_progress(ctx: Context) -> str:
        """Ask on the call's own stream and hear how the client gets on."""
        params = ElicitRequestFormParams(message="Which colour?", requested_schema={"type": "object", "properties": {}})
        heard: list[str] = []

        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            heard.append(f"{progress:g}/{total} {message}")

        related = ServerMessageMetadata(related_request_id=ctx.request_id)
        await ctx.session.send_request(
            ElicitRequest(params=params), ElicitResult, metadata=related, progress_callback=on_progress
        )
        return ";".join(heard)

    @box.mcp.tool()
    async def sample(ctx: Context) -> str:
        """Ask the client's model, on the call's own stream."""
        asked = SamplingMessage(role="user", content=TextContent(text="hello"))
        with warnings.catch_warnings(action="ignore"):
            answer = await ctx.session.create_message(  # pyright: ignore[reportDeprecated]
                [asked], max_tokens=10, related_request_id=ctx.request_id
            )
        assert isinstance(answer.content, TextContent)
        return answer.content.text

    @box.mcp.tool()
    async def roots(ctx: Context) -> str:
        """Ask for the client's roots; the SDK does so on the standalone stream."""
        with warnings.catch_warnings(action="ignore"):
            answer = await ctx.session.list_roots()  # pyright: ignore[reportDeprecated]
        return ",".join(str(root.uri) for root in answer.roots)


def _breaking(box: Toolbox) -> None:
    @box.mcp.tool()
    async def vanish(kind: str) -> str:
        """Raise what no handler should."""
        raise {
            "own": Vanish("gone"),
            "exit": SystemExit(3),
            "interrupt": KeyboardInterrupt(),
            "cancel": asyncio.CancelledError(),
            "generator": GeneratorExit(),
        }[kind]


def low_level_server(box: Toolbox | None = None) -> Server[Any]:
    """Return a low-level server with one tool and no resources; its `tools/list` is counted."""
    counts: Counter[str] = box.started if box is not None else Counter()

    async def list_tools(ctx: ServerRequestContext[Any], params: PaginatedRequestParams | None) -> ListToolsResult:
        counts["tools/list"] += 1
        schema = {"type": "object", "properties": {"text": {"type": "string"}}}
        return ListToolsResult(tools=[Tool(name="echo", input_schema=schema)])

    async def call_tool(ctx: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        text = str((params.arguments or {}).get("text", ""))
        return CallToolResult(content=[TextContent(text=text)])

    return Server("low-level", version="1.0", on_list_tools=list_tools, on_call_tool=call_tool)
