"""`open_session` and `close_session`: sessions for the 2026-07-28 era, by handle."""

from __future__ import annotations

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from ..current import current_call
from ..data.calling import calling_session
from ..data.telling import ToolFailure, told
from ..models import SessionKind, SessionState
from ..modern.handles import Handles


def add_to(mcp: MCPServer) -> None:
    """Register the tools on a server that Switchroom is attached to."""

    @mcp.tool()
    async def open_session() -> str:
        """Open a session and return its handle. Keep it secret, and pass it as session_id to the other tools."""
        current = current_call.get()
        if current is None:
            raise ToolError("Sessions need Switchroom: attach(mcp) or mount_console(app, mcp) before serving.")
        with told():
            _, handle = Handles(current.engine, current.session.record.server).open()
        return handle

    @mcp.tool()
    async def close_session(session_id: str, ctx: Context) -> str:
        """End a session that open_session opened; its stored keys are removed."""
        current = calling_session(ctx, "Sessions")
        session = current.session
        if session.record.kind is not SessionKind.HANDLE:
            raise ToolFailure("unsupported", "This session is the connection's own: it ends when its client ends it.")
        current.engine.spawn(current.engine.end(session, SessionState.CLOSED, "client"))
        return f"Closed session {session.record.id}"
