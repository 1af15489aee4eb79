"""Sensitive data: values that are sealed in the store and masked in the log.

Names and arguments are the session-management guide's. Where the guide encodes with base64, these
seal with AES-256-GCM, and a value copied to another session or key does not open.
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve
from pydantic import SecretStr

from ..data import Secret, SessionData, session_data

Data = Annotated[SessionData, Resolve(session_data)]


def add_to(mcp: MCPServer) -> None:
    """Register the tools on a server that Switchroom is attached to."""

    @mcp.tool()
    async def store_sensitive_data(key: str, value: SecretStr, data: Data, session_id: str | None = None) -> str:
        """Store sensitive data securely in session."""
        await data.set(key, value.get_secret_value(), secret=True)
        return f"Securely stored data for key: {key}"

    @mcp.tool()
    async def retrieve_sensitive_data(key: str, data: Data, session_id: str | None = None) -> Annotated[str, Secret()]:
        """Retrieve sensitive data from session."""
        value = await data.get(key)
        return f"Retrieved: {value}" if value is not None else f"No data found for key: {key}"

    @mcp.tool()
    async def forget_sensitive_data(key: str, data: Data, session_id: str | None = None) -> str:
        """Remove sensitive data from session."""
        was_there = await data.delete(key)
        return f"Forgot data for key: {key}" if was_there else f"No data found for key: {key}"
