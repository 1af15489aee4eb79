"""Multi-session coordination: join a group, send to its other members, leave it.

Names and arguments are the session-management guide's; `group` names another group than the default
one, and `session_id` is for clients of the 2026-07-28 era, which pass a handle of `open_session`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel, Field

from ..data.groups import Sent, SessionGroups, session_groups
from ..models import DEFAULT_GROUP, DeliveryStatus

Groups = Annotated[SessionGroups, Resolve(session_groups)]

_SHOWN = 20
"""Receipts written out in the text; the structured content has them all."""


class ReceiptOfMember(BaseModel):
    """What became of the message for one member."""

    session: str = Field(description="Public reference of the session; not a secret.")
    status: str = Field(description="`delivered` (written to an open stream), `queued`, `not_listening`, …")
    reason: str | None


class CoordinationReceipt(BaseModel):
    """What became of a message to a group."""

    group: str
    recipients: int
    counts: dict[str, int] = Field(description="Recipients by status; they add up to `recipients`.")
    receipts: list[ReceiptOfMember]


def add_to(mcp: MCPServer) -> None:
    """Register the tools on a server that Switchroom is attached to."""

    @mcp.tool()
    async def join_coordination(groups: Groups, group: str = DEFAULT_GROUP, session_id: str | None = None) -> str:
        """Join multi-session coordination."""
        told = await groups.join(group)
        where = f"Joined coordination as session {groups.session_id}"
        if told is None:
            return f"{where} already: a member of {group}"
        found = groups.members(group)
        others = len(found.members) - 1 if found is not None else 0
        return f"{where} in group {group}: {others} other members, {told} of them are told"

    @mcp.tool()
    async def broadcast_to_sessions(
        message: str, groups: Groups, group: str = DEFAULT_GROUP, session_id: str | None = None
    ) -> Annotated[CallToolResult, CoordinationReceipt]:
        """Broadcast message to all other sessions."""
        sent = await groups.send(message, group)
        return _answer(message, group, sent)

    @mcp.tool()
    async def leave_coordination(groups: Groups, group: str = DEFAULT_GROUP, session_id: str | None = None) -> str:
        """Leave a coordination group; the others are told. Ending the session does the same."""
        told = await groups.leave(group)
        if told is None:
            return f"Session {groups.session_id} was not a member of {group}"
        return f"Session {groups.session_id} left group {group}: {told} other members are told"

    @mcp.tool()
    async def list_coordination(groups: Groups, session_id: str | None = None) -> str:
        """List the groups of this session with their members."""
        if not groups.names:
            return f"Session {groups.session_id} is in no group; call join_coordination"
        found = (groups.members(name) for name in groups.names)
        return "\n".join(_line(each.name, (m.session_id for m in each.members), groups) for each in found if each)


def _line(name: str, members: Iterable[str], groups: SessionGroups) -> str:
    listed = [f"{each} (this session)" if each == groups.session_id else each for each in members]
    return f"{name}: {', '.join(listed)}"


def _answer(message: str, group: str, sent: Sent) -> CallToolResult:
    counts = {name: count for name, count in sent.broadcast.counts.items() if count}
    figures = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    lines = [
        f"Broadcasted '{message}' to {sent.broadcast.audience} other sessions" + (f": {figures}" if figures else "")
    ]
    for receipt in sent.receipts[:_SHOWN]:
        why = f" ({receipt.reason})" if receipt.reason and receipt.status is not DeliveryStatus.DELIVERED else ""
        lines.append(f"{receipt.session_id}: {receipt.status.value.replace('_', ' ')}{why}")
    if len(sent.receipts) > _SHOWN:
        lines.append(f"and {len(sent.receipts) - _SHOWN} more")
    structured = CoordinationReceipt(
        group=group,
        recipients=sent.broadcast.audience,
        counts=counts,
        receipts=[ReceiptOfMember(session=r.session_id, status=r.status.value, reason=r.reason) for r in sent.receipts],
    )
    return CallToolResult(
        content=[TextContent(type="text", text="\n".join(lines))],
        structured_content=structured.model_dump(mode="json"),
    )
