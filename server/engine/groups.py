"""Which live sessions coordinate with which: named groups of one mounted server each.

Memory answers every question; the store keeps the same memberships, so a restart changes nothing.
Membership ends with the session, however that ends.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ..errors import InvalidInput, LimitReached
from ..models import GROUP_NAME, GROUP_NAME_RULE, Broadcast, Group, Member
from ..settings import Settings
from ..store.base import Store
from .session import LiveSession, forget_outcome

_WINDOW_SECONDS = 60.0
_GATHER_SECONDS = 0.25
"""Sessions that end one after another are told of together: else the end of a full group were 32,000 messages."""


class Post(Protocol):
    """How a message of one member reaches the others; `operations` sets it."""

    async def message(self, sender: LiveSession, group: str, text: str) -> Broadcast:
        """Send a text to the other members and return the broadcast with its receipts as they stand."""
        ...

    async def joined(self, member: LiveSession, group: str) -> int:
        """Tell the other members of a new one; how many are told, or will be with their next stream."""
        ...

    async def left(self, server: str, group: str, session_ids: Sequence[str]) -> int:
        """Tell the members that are left who is one no more; how many are told, or will be with their next stream."""
        ...


class Coordination:
    """Every group there is. For the event loop's thread only."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._members: dict[tuple[str, str], dict[str, Member]] = {}
        """By server and name of the group, then by session; never an empty group."""
        self._sent: dict[str, deque[float]] = {}
        self._gone: dict[tuple[str, str], list[str]] = {}
        """Members whose sessions have ended and whom nobody was told of yet."""
        self._telling: asyncio.Task[None] | None = None
        self.post: Post | None = None

    async def load(self, sessions: Mapping[str, LiveSession]) -> None:
        """Take up the memberships of sessions that are live; those of others are dropped."""
        for member in await self._store.groups.load():
            session = sessions.get(member.session_id)
            if session is None:
                self._store.groups.forget(member.session_id).add_done_callback(forget_outcome)
            else:
                self._keep(session, member)

    def clear(self) -> None:
        """Forget what memory holds; the store keeps it."""
        self._members.clear()
        self._sent.clear()
        self._gone.clear()
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None

    # -- membership ----------------------------------------------------------------------------

    async def join(self, session: LiveSession, name: str) -> bool:
        """Make a session a member; `False` when it was one already.

        Raises:
            InvalidInput: The name is malformed.
            LimitReached: The session is in too many groups, the group is full, or the session sends too much.
            StoreUnavailable: The membership was not committed in time; it is queued all the same.
        """
        check_group_name(name)
        key = (session.record.server, name)
        present = self._members.get(key, {})
        if session.record.id in present:
            return False
        if len(session.groups) >= self._settings.max_groups:
            limit = self._settings.max_groups
            raise LimitReached(f"This session is in {len(session.groups)} groups; {limit} is its limit. Leave one.")
        if len(present) >= self._settings.max_group_members:
            raise LimitReached(f"The group {name} has {len(present):,} members, its limit.", retry_after=60)
        self.count_message(session)
        member = Member(*key, session.record.id, time.time())
        self._keep(session, member)
        session.touch()
        await self._store.groups.join(member)
        return True

    async def leave(self, session: LiveSession, name: str) -> bool:
        """End a membership; `False` when there was none.

        Raises:
            StoreUnavailable: It was not committed in time; it is queued all the same.
        """
        member = self._members.get((session.record.server, name), {}).get(session.record.id)
        if member is None:
            return False
        self._drop(member)
        session.member_of = tuple(each for each in session.groups if each != name)
        session.touch()
        await self._store.groups.leave(member)
        return True

    async def forget(self, session: LiveSession) -> None:
        """End every membership of a session that has ended."""
        self._sent.pop(session.record.id, None)
        if not session.groups:
            return
        for name in session.groups:
            member = self._members.get((session.record.server, name), {}).get(session.record.id)
            if member is not None:
                self._drop(member)
                self._tell_later(member)
        session.member_of = ()
        await self._store.groups.forget(session.record.id)

    def _tell_later(self, member: Member) -> None:
        if (member.server, member.group) not in self._members:
            return
        self._gone.setdefault((member.server, member.group), []).append(member.session_id)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        """Tell the members of each group whose sessions have ended lately."""
        while self._gone:
            await asyncio.sleep(_GATHER_SECONDS)
            gone, self._gone = self._gone, {}
            for (server, group), session_ids in gone.items():
                if self.post is not None:
                    await self.post.left(server, group, session_ids)
        self._telling = None

    # -- questions -----------------------------------------------------------------------------

    def all(self) -> list[Group]:
        """Return every group, by server and name."""
        return [
            Group(server, name, _oldest_first(kept.values())) for (server, name), kept in sorted(self._members.items())
        ]

    def get(self, server: str, name: str) -> Group | None:
        """Return one group, or `None` when it has no member."""
        kept = self._members.get((server, name))
        return Group(server, name, _oldest_first(kept.values())) if kept else None

    def count_message(self, session: LiveSession) -> None:
        """Count a message of a session to its groups.

        Raises:
            LimitReached: It has sent too many within a minute; the message is not counted.
        """
        if not self._settings.has_limits:
            return
        now, limit = time.monotonic(), self._settings.max_group_messages_per_minute
        times = self._sent.setdefault(session.record.id, deque())
        while times and now - times[0] > _WINDOW_SECONDS:
            times.popleft()
        if len(times) >= limit:
            wait = int(_WINDOW_SECONDS - (now - times[0])) + 1
            raise LimitReached(
                f"This session sent {limit} messages to groups within a minute, its limit. Try again in {wait} s.",
                retry_after=wait,
            )
        times.append(now)

    def _keep(self, session: LiveSession, member: Member) -> None:
        self._members.setdefault((member.server, member.group), {})[member.session_id] = member
        session.member_of = tuple(sorted({*session.groups, member.group}))

    def _drop(self, member: Member) -> None:
        kept = self._members[member.server, member.group]
        del kept[member.session_id]
        if not kept:
            del self._members[member.server, member.group]


def check_group_name(name: str) -> None:
    """Refuse what cannot stand in a filter or an address as it is.

    Raises:
        InvalidInput: With what is allowed.
    """
    if GROUP_NAME.fullmatch(name) is None:
        raise InvalidInput(GROUP_NAME_RULE, field="group")


def _oldest_first(members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(sorted(members, key=lambda member: (member.joined_at, member.session_id)))
