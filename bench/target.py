"""The MCP server that every contestant serves: tools so small that what is measured is everything around them."""

from __future__ import annotations

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.session import ServerSession
from mcp_types import LoggingMessageNotification, LoggingMessageNotificationParams

MESSAGES = 20
"""Log messages, each followed by progress, of one chatty call."""

mcp = MCPServer("bench", log_level="WARNING")
joined: list[ServerSession] = []
"""The sessions that `join` was called in: what the bare SDK can broadcast to."""


def _message(text: str) -> LoggingMessageNotification:
    return LoggingMessageNotification(params=LoggingMessageNotificationParams(level="info", data=text))


@mcp.tool()
async def echo(text: str) -> str:
    """Return what was sent."""
    return text


@mcp.tool()
async def chatty(text: str, ctx: Context) -> str:
    """Return what was sent, after 20 log messages with progress."""
    for number in range(MESSAGES):
        await ctx.session.send_notification(_message(f"step {number}"), related_request_id=ctx.request_id)
        await ctx.report_progress(number + 1, MESSAGES)
    return text


@mcp.tool()
async def join(ctx: Context) -> str:
    """Take part in what `tell` sends."""
    joined.append(ctx.session)
    return "joined"


@mcp.tool()
async def tell(text: str) -> str:
    """Send a log message to every session that joined, one after the other, as the SDK offers it."""
    for session in joined:
        await session.send_notification(_message(text))
    return text
