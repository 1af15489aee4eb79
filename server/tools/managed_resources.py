"""Managed resources: `create_managed_resource`, and beside it what lists and closes them.

The name and the argument are the session-management guide's; `session_id` is added for clients of the
2026-07-28 era, which pass a handle of `open_session`.
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve

from ..data.telling import told
from ..data.values import shortened
from ..errors import InvalidInput
from ..resources import SessionResources, session_resources

Resources = Annotated[SessionResources, Resolve(session_resources)]


def add_to(mcp: MCPServer) -> None:
    """Register the tools on a server that Switchroom is attached to."""

    @mcp.tool()
    async def create_managed_resource(resource_type: str, resources: Resources, session_id: str | None = None) -> str:
        """Create resource with automatic cleanup: a temporary file ("file"), open until the session ends."""
        if resource_type != "file":
            with told():
                raise InvalidInput(f"Unknown resource type: {shortened(resource_type)}. Known is: file.")
        folder = resources.folder()
        taken = {held.name for held in resources.held()} | {path.name for path in folder.iterdir()}
        name = next(each for each in (f"file-{number}.txt" for number in range(1, 10_000)) if each not in taken)
        # The name is ours and the folder the session's own: nothing of the path comes from the client.
        file = (folder / name).open("x", encoding="utf-8")
        try:
            resources.register(file, name=name)
        except BaseException:
            file.close()
            raise
        return f"Created file resource for session {resources.session_id}: {name}"

    @mcp.tool()
    async def list_managed_resources(resources: Resources, session_id: str | None = None) -> str:
        """List what the session holds open."""
        names = [held.name for held in resources.held()]
        return f"Session {resources.session_id} holds: {', '.join(names) if names else 'nothing'}"

    @mcp.tool()
    async def close_managed_resource(name: str, resources: Resources, session_id: str | None = None) -> str:
        """Close one resource before the session ends."""
        problem = await resources.close(name)
        return f"Closed {name}" if not problem else f"Closed {name}, which failed: {problem}"
