"""Which session a tool is called in, or what its caller has to do to have one."""

from __future__ import annotations

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ..current import CurrentCall, current_call
from ..models import SessionKind
from ..modern.handles import UNKNOWN, handle_argument

NEEDS_HANDLE = (
    "This client speaks MCP 2026-07-28, which has no sessions: call open_session first, and pass the "
    "handle it returns as session_id."
)
NEEDS_STATE = (
    "This server runs without sessions (--stateless): each request stands alone. Serve it without --stateless, or "
    "connect with MCP 2026-07-28 and call open_session."
)


def calling_session(ctx: Context, what: str) -> CurrentCall:
    """Return the running call with its session; `what` names what needs one, in the plural or not.

    Raises:
        ToolError: The server is not attached to Switchroom, or a call of the newer era has no valid handle.
    """
    current = current_call.get()
    if current is None:
        raise ToolError(f"{what} needs Switchroom: attach(mcp) or mount_console(app, mcp) before serving.")
    if current.session.record.kind is SessionKind.CLIENT:
        has_handle = handle_argument(ctx.request_context.params) is not None
        is_modern = ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
        raise ToolError(NEEDS_STATE if not is_modern else UNKNOWN if has_handle else NEEDS_HANDLE)
    return current
