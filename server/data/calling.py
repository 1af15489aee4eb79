"""Which session a tool is called in, or what its caller has to do to have one."""

from __future__ import annotations

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ..current import CurrentCall, current_call
from ..models import SessionKind
from ..modern.handles import UNKNOWN, handle_argument
from .telling import ToolFailure

NEEDS_HANDLE = (
    "This client speaks MCP 2026-07-28, which has no sessions: call open_session first, and pass the "
    "handle it returns as session_id."
)
NEEDS_STATE = (
    "This server runs without sessions (--stateless), each request stands alone: call open_session first, and pass "
    "the handle it returns as session_id."
)


def calling_session(ctx: Context, what: str) -> CurrentCall:
    """Return the running call with its session; `what` names what needs one, in the plural or not.

    Raises:
        ToolError: The server is not attached to Switchroom, or a call of the newer era has no valid handle; then it
            is a `ToolFailure` with the code `session_needed`, `session_ended` or `session_unknown`.
    """
    current = current_call.get()
    if current is None:
        raise ToolError(f"{what} needs Switchroom: attach(mcp) or mount_console(app, mcp) before serving.")
    if current.session.record.kind is SessionKind.CLIENT:
        raise _without_session(current, ctx)
    return current


def _without_session(current: CurrentCall, ctx: Context) -> ToolFailure:
    """Return what to tell the caller of a tool that needs a session, where the call has none."""
    if handle_argument(ctx.request_context.params) is None:
        is_modern = ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
        return ToolFailure("session_needed", NEEDS_HANDLE if is_modern else NEEDS_STATE)
    if current.call is not None and current.call.bad_handle is not None:
        return ToolFailure("session_ended", current.call.bad_handle)
    return ToolFailure("session_unknown", UNKNOWN)
