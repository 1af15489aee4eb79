"""The server that other people's clients meet: a tool for each thing a client has to bear."""

from __future__ import annotations

import asyncio

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.exceptions import MCPError

from switchroom.server.data import log_message

GATE_SECONDS = 30.0
"""A call whose gate nobody opens gives up, so that a failing test does not hang."""

mcp = MCPServer("target", version="1.0")


async def opened(gate: anyio.Path) -> None:
    """Wait until another process has opened the gate: there is no event for it."""
    deadline = anyio.current_time() + GATE_SECONDS
    while not await gate.exists():
        if anyio.current_time() > deadline:
            raise TimeoutError(f"nobody opened {gate}")
        await asyncio.sleep(0.02)


@mcp.tool()
async def echo(text: str) -> str:
    """Return the text."""
    return text


@mcp.tool()
async def steps(ctx: Context, count: int) -> str:
    """Report progress and log, step by step."""
    for step in range(1, count + 1):
        await ctx.report_progress(step, count)
        await log_message(ctx, "info", f"step {step}")
    return f"{count} steps"


@mcp.tool()
async def gated(ctx: Context, gate: str) -> str:
    """Say that it has begun, wait until the file exists, say that it goes on, and answer."""
    await log_message(ctx, "info", "begun")
    await opened(anyio.Path(gate))
    await log_message(ctx, "info", "going on")
    return "through the gate"


@mcp.tool()
async def pause(seconds: float) -> str:
    """Take some time."""
    await asyncio.sleep(seconds)
    return "rested"


@mcp.tool()
async def refuse() -> str:
    """Answer with a protocol error."""
    raise MCPError(-32050, "refused on purpose")
