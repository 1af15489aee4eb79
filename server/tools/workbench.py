"""Tools that make a session's life visible: progress, log messages, waiting, failing, asking."""

from __future__ import annotations

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from ..data import log_message

MAX_STEPS = 100
MAX_SECONDS = 300.0


def add_to(mcp: MCPServer) -> None:
    """Register the tools on a server."""

    @mcp.tool()
    async def echo(text: str) -> str:
        """Return the text."""
        return text

    @mcp.tool()
    async def count_slowly(ctx: Context, steps: int = 5, seconds: float = 0.2) -> str:
        """Count with progress reports and a log message per step."""
        steps, seconds = max(1, min(steps, MAX_STEPS)), max(0.0, min(seconds, 10.0))
        for step in range(1, steps + 1):
            await ctx.report_progress(step, steps, f"step {step} of {steps}")
            await log_message(ctx, "info", f"step {step}", logger="workbench")
            await anyio.sleep(seconds)
        return f"Counted to {steps}"

    @mcp.tool()
    async def wait(seconds: float = 1.0) -> str:
        """Wait, at most five minutes; can be cancelled."""
        seconds = max(0.0, min(seconds, MAX_SECONDS))
        await anyio.sleep(seconds)
        return f"Waited {seconds:g} s"

    @mcp.tool()
    async def fail(message: str = "This tool fails on purpose") -> str:
        """Fail with a message."""
        raise ToolError(message)
