"""`SessionGroups`: coordination between sessions, for tool authors. The same in both eras.

    @mcp.tool()
    async def announce(text: str, groups: Annotated[SessionGroups, Resolve(session_groups)]) -> str: ...

In the handshake era the member is the connection's session; in the 2026-07-28 era it is the one whose
handle the call passes as `session_id`.
"""

from __future__ import annotations

from typing import NamedTuple

from mcp.server.mcpserver import Context

from ..engine.engine import Engine
from ..engine.groups import check_group_name
from ..engine.session import LiveSession
from ..errors import InvalidInput, Unsupported
from ..models import DEFAULT_GROUP, Broadcast, Group, Receipt
from .calling import calling_session
from .telling import told
from .values import check_text

_MAX_RECEIPTS = 1_000


class Sent(NamedTuple):
    """A message to a group and what became of it, member by member."""

    broadcast: Broadcast
    receipts: list[Receipt]


class SessionGroups:
    """The groups of one session: named, one list for each mounted server, open to every session of it.

    Its errors are `ToolError`s as well: one that a tool does not catch tells the client what to do.
    """

    def __init__(self, engine: Engine, session: LiveSession) -> None:
        self._engine = engine
        self._session = session

    @property
    def session_id(self) -> str:
        """The session's public reference, as the console and the other members see it. Not a secret."""
        return self._session.record.id

    @property
    def names(self) -> tuple[str, ...]:
        """The groups the session is a member of, by name."""
        return self._session.groups

    async def join(self, group: str = DEFAULT_GROUP) -> int | None:
        """Become a member and tell the others; how many hear of it, or `None` when it was a member already.

        Raises:
            InvalidInput: The name is malformed.
            LimitReached: The session is in too many groups, the group is full, or the session sends too much.
            StoreUnavailable: The store did not take it in time.
        """
        with told():
            if not await self._engine.groups.join(self._session, group):
                return None
            post = self._engine.groups.post
            return await post.joined(self._session, group) if post is not None else 0

    async def leave(self, group: str = DEFAULT_GROUP) -> int | None:
        """End the membership and tell the others; how many hear of it, or `None` when there was no membership.

        Raises:
            InvalidInput: The name is malformed.
            StoreUnavailable: The store did not take it in time.
        """
        with told():
            check_group_name(group)
            if not await self._engine.groups.leave(self._session, group):
                return None
            post = self._engine.groups.post
            record = self._session.record
            return await post.left(record.server, group, [record.id]) if post is not None else 0

    def members(self, group: str = DEFAULT_GROUP) -> Group | None:
        """Return a group the session is a member of; `None` otherwise."""
        return self._engine.groups.get(self._session.record.server, group) if group in self.names else None

    async def send(self, message: str, group: str = DEFAULT_GROUP) -> Sent:
        """Send a text to the other members, and return what became of it after a second at most.

        Raises:
            InvalidInput: The text is empty, too long or has control characters, or the session is not a member.
            LimitReached: The session sent too many messages within a minute.
            StoreUnavailable: The message could not be stored; nothing was sent.
        """
        with told():
            check_group_name(group)
            check_text(message, "message")
            if group not in self.names:
                raise InvalidInput(f"This session is not a member of {group!r}: call join_coordination first.")
            post = self._engine.groups.post
            if post is None:
                raise Unsupported("This server runs without operations, so nothing can be sent.")
            broadcast = await post.message(self._session, group, message)
            receipts = await self._engine.store.broadcasts.receipts(broadcast.id, limit=_MAX_RECEIPTS)
            return Sent(broadcast, receipts)


def session_groups(ctx: Context) -> SessionGroups:
    """Return the groups of the running call's session; for `Resolve`.

    Raises:
        ToolError: The server is not attached to Switchroom, or a call of the newer era has no valid handle.
    """
    current = calling_session(ctx, "Coordination")
    return SessionGroups(current.engine, current.session)
