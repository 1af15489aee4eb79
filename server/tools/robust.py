"""Error handling and recovery: `robust_session_tool`, all or nothing and with coded errors.

The name and the argument are the session-management guide's; `session_id` is added for clients of the
2026-07-28 era, which pass a handle of `open_session`.
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer, Resolve

from ..data import SessionData, ToolFailure, log_message, robust, session_data

Data = Annotated[SessionData, Resolve(session_data)]


def add_to(mcp: MCPServer) -> None:
    """Register the tool on a server that Switchroom is attached to."""

    @mcp.tool()
    @robust
    async def robust_session_tool(data: str, stored: Data, ctx: Context, session_id: str | None = None) -> str:
        """Keep data and count what was processed; a failure leaves both as they were, and says what to do."""
        number = await stored.get("robust:processed", 0, as_type=int) + 1
        await stored.set("robust:processed", number)
        if not data.strip():
            raise ToolFailure("empty_data", "There is nothing to process: give data that is not empty.")
        await stored.set("robust:last", data)
        await log_message(ctx, "info", f"Successfully processed data in session {stored.session_id}")
        return f"Processed {len(data)} characters (#{number} in session {stored.session_id})"
