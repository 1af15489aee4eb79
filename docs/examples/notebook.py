"""A notebook: a file in a folder of the session's own, closed and removed when the session ends.

>>> write_note(text="buy tea")
1 line in notes.txt
>>> write_note(text="buy milk")
2 lines in notes.txt
>>> ben.write_note(text="hello")
1 line in notes.txt
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve

from switchroom.server import SessionResources, session_resources

mcp = MCPServer("notebook")


@mcp.tool()
async def write_note(
    text: str, resources: Annotated[SessionResources, Resolve(session_resources)], session_id: str | None = None
) -> str:
    """Add a line to the session's notes."""
    path = resources.folder() / "notes.txt"
    with path.open("a", encoding="utf-8") as notes:
        notes.write(text + "\n")
    lines = len(path.read_text("utf-8").splitlines())
    return f"{lines} line{'s' if lines > 1 else ''} in {path.name}"
