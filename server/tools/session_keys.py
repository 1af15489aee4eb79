"""Session-aware tools: set, get, list and delete keys of the caller's session.

Names and arguments are the session-management guide's; `session_id` is added for clients of the
2026-07-28 era, which pass a handle of `open_session`.
"""

from __future__ import annotations

import datetime
from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve

from ..data import SessionData, session_data

Data = Annotated[SessionData, Resolve(session_data)]


def add_to(mcp: MCPServer) -> None:
    """Register the tools on a server that Switchroom is attached to."""

    @mcp.tool()
    async def set_session_data(key: str, value: str, data: Data, session_id: str | None = None) -> str:
        """Store data in session scope."""
        stored = await data.set(key, value)
        return f"Stored {key} = {value} (version {stored.version})"

    @mcp.tool()
    async def get_session_data(key: str, data: Data, session_id: str | None = None) -> str:
        """Retrieve data from session scope."""
        stored = await data.entry(key)
        if stored is None:
            return f"No data found for key '{key}' in current session"
        if stored.key_id is not None:
            return f"{key} is a secret: use retrieve_sensitive_data"
        at = datetime.datetime.fromtimestamp(stored.updated_at, datetime.UTC).isoformat(timespec="seconds")
        return f"{key} = {await data.get(key)} (stored at {at})"

    @mcp.tool()
    async def list_session_keys(data: Data, session_id: str | None = None) -> str:
        """List all keys in session scope."""
        keys = await data.keys()
        return f"Session {data.session_id} keys: {keys}" if keys else f"No data in session {data.session_id}"

    @mcp.tool()
    async def delete_session_data(key: str, data: Data, session_id: str | None = None) -> str:
        """Remove one key from session scope."""
        was_there = await data.delete(key)
        return f"Deleted {key}" if was_there else f"No data found for key '{key}' in current session"
