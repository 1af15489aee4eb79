"""Sessions that know how long they may go on.

>>> managed_tool(data="hello")
Processed 'hello' (request #...) in session ...: initialized over ..., idle timeout 30m, lifetime none
>>> stateful_tool(message="a")
Processed 'a' in persistent session ... (message #1)
>>> stateful_tool(message="b")
Processed 'b' in persistent session ... (message #2)
>>> ben.stateful_tool(message="c")
Processed 'c' in persistent session ... (message #1)
>>> start_batch(hours=3)
The session now waits 3h for you.
>>> set_session_timeout(idle_seconds=600)
Session ...: idle timeout 10m, lifetime none
>>> set_session_timeout(idle_seconds=0)
Error: A tool sets an idle limit above 0 and up to 1d.
>>> session_history()
2...: limits: idle 3h, lifetime none
2... initialized: limits: idle 10m, lifetime none
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve

from switchroom.server import SessionLife, session_life
from switchroom.server.tools import lifecycle

mcp = MCPServer("batches")
lifecycle.add_to(mcp)  # managed_tool, stateful_tool, stateless_tool, logged_operation, set_session_timeout, …


@mcp.tool()
async def start_batch(
    hours: int, life: Annotated[SessionLife, Resolve(session_life)], session_id: str | None = None
) -> str:
    """Start a batch whose results are fetched hours later, from this session."""
    await life.set_timeouts(idle_seconds=hours * 3600)
    return f"The session now waits {hours}h for you."
