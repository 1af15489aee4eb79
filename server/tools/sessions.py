"""`open_session` and `close_session`: sessions for the 2026-07-28 era, by handle."""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from ..current import CurrentCall, current_call
from ..errors import SwitchroomError
from ..models import SessionKind, SessionState
from ..modern.handles import UNKNOWN, Handles


def _running() -> CurrentCall:
    current = current_call.get()
    if current is None:
        raise ToolError("Sessions need Switchroom: attach(mcp) or mount_console(app, mcp) before serving.")
    return current


def add_to(mcp: MCPServer) -> None:
    """Register the tools on a server that Switchroom is attached to."""

    @mcp.tool()
    async def open_session() -> str:
        """Open a session and return its handle. Keep it secret, and pass it as session_id to the other tools."""
        current = _running()
        try:
            _, handle = Handles(current.engine, current.session.record.server).open()
        except SwitchroomError as error:
            raise ToolError(error.message) from error
        return handle

    @mcp.tool()
    async def close_session(session_id: str) -> str:
        """End a session that open_session opened; its stored keys are removed."""
        current = _running()
        if current.session.record.kind is not SessionKind.HANDLE:
            raise ToolError(UNKNOWN)
        session = current.session
        current.engine.spawn(current.engine.end(session, SessionState.CLOSED, "client"))
        return f"Closed session {session.record.id}"
