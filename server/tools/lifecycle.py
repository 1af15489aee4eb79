"""The guide's tools on the life of a session: managed, stateful, stateless and logged.

Names and arguments are the guide's; `session_id` is added for clients of the 2026-07-28 era, which pass a handle of
`open_session`. `set_session_timeout` and `session_history` go beyond it.
"""

from __future__ import annotations

import datetime
from typing import Annotated

import anyio
from mcp.server.mcpserver import Context, MCPServer, Resolve

from ..data import SessionData, SessionLife, log_message, session_data, session_life
from ..data.telling import told
from ..data.values import check_text
from ..filters.durations import spell

Life = Annotated[SessionLife, Resolve(session_life)]
Data = Annotated[SessionData, Resolve(session_data)]

_WORK_SECONDS = 1.0
_COUNTER = "stateful_tool.messages"


def add_to(mcp: MCPServer) -> None:
    """Register the tools on a server that Switchroom is attached to."""
    _add_modes(mcp)

    @mcp.tool()
    async def managed_tool(data: str, life: Life, session_id: str | None = None) -> str:
        """Process data and say what is known of the caller's own session."""
        with told():
            check_text(data, "data")
        return (
            f"Processed '{data}' (request #{life.request_count}) in session {life.session_id}: {life.state.value} "
            f"over {life.transport.value}, created {_moment(life.created_at)}, "
            f"last activity {_moment(life.last_activity)}, "
            f"idle timeout {spell(life.idle_seconds)}, lifetime {spell(life.lifetime_seconds)}"
        )

    @mcp.tool()
    async def set_session_timeout(
        life: Life,
        idle_seconds: float | None = None,
        lifetime_seconds: float | None = None,
        session_id: str | None = None,
    ) -> str:
        """Set how long the caller's session may be idle, or may live; what is left out stays as it is."""
        await life.set_timeouts(idle_seconds=idle_seconds, lifetime_seconds=lifetime_seconds)
        return (
            f"Session {life.session_id}: idle timeout {spell(life.idle_seconds)}, "
            f"lifetime {spell(life.lifetime_seconds)}"
        )

    @mcp.tool()
    async def session_history(life: Life, session_id: str | None = None) -> str:
        """List the states the caller's session went through, with time and cause."""
        return "\n".join(f"{_moment(step.at)} {step.state.value}: {step.cause}" for step in life.history)


def _add_modes(mcp: MCPServer) -> None:
    @mcp.tool()
    async def stateful_tool(message: str, ctx: Context, data: Data, session_id: str | None = None) -> str:
        """Process a message in a session that persists: it counts the messages it was sent so far."""
        with told():
            check_text(message, "message")
        await log_message(ctx, "info", f"Processing in session {data.session_id}")
        count = await data.get(_COUNTER, 0, as_type=int) + 1
        await data.set(_COUNTER, count)
        return f"Processed '{message}' in persistent session {data.session_id} (message #{count})"

    @mcp.tool()
    async def stateless_tool(data: str) -> str:
        """Process data in a fresh session: nothing is read from before, and nothing is kept."""
        with told():
            check_text(data, "data")
        return f"Processed '{data}' in fresh session"

    @mcp.tool()
    async def logged_operation(action: str, ctx: Context, session_id: str | None = None) -> str:
        """Execute an action for a second, with a message before and after; every one of them is in the event log."""
        with told():
            check_text(action, "action")
        await log_message(ctx, "info", f"Executing action: {action}")
        await anyio.sleep(_WORK_SECONDS)
        await log_message(ctx, "info", f"Completed action: {action}")
        return f"Action '{action}' completed successfully"


def _moment(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="seconds")
