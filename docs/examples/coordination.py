"""Sessions that work as a crew: whoever claims a task tells the others.

>>> ben.join_coordination(group="crew")
Joined coordination as session ... in group crew: 0 other members, 0 of them are told
>>> join_coordination(group="crew")
Joined coordination as session ... in group crew: 1 other members, ...
>>> claim(task="paint the fence")
Claimed; 1 other members: ...
>>> broadcast_to_sessions(message="Lunch at one", group="crew")
Broadcasted 'Lunch at one' to 1 other sessions: ...
>>> ben.leave_coordination(group="crew")
Session ... left group crew: ... other members are told
>>> claim(task="mow the lawn")
Claimed; 0 other members
>>> ben.claim(task="mow the lawn")
Error: This session is not a member of 'crew': call join_coordination first.
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve

from switchroom.server import SessionGroups, session_groups
from switchroom.server.tools import coordination

mcp = MCPServer("crew")
coordination.add_to(mcp)  # join_coordination, broadcast_to_sessions, leave_coordination, list_coordination


@mcp.tool()
async def claim(
    task: str, groups: Annotated[SessionGroups, Resolve(session_groups)], session_id: str | None = None
) -> str:
    """Claim a task and tell the rest of the crew."""
    sent = await groups.send(f"{groups.session_id} takes: {task}", group="crew")
    told = ", ".join(f"{count} {status}" for status, count in sent.broadcast.counts.items() if count)
    return f"Claimed; {sent.broadcast.audience} other members" + (f": {told}" if told else "")
