"""Groups: messages between their members, and what operators do to them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence

from ..directory.directory import Directory
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..errors import InvalidInput, NotFound
from ..models import Actor, Broadcast, DeliveryStatus, EventKind
from .actions import Actions
from .dispatching import Dispatcher
from .sending import Mailing, Message, Postman
from .sessions import check_reason
from .wording import MAX_TEXT

LOGGER = "coordination"
"""The `logger` field of what members tell one another."""

_SETTLE_SECONDS = 1.0
"""How long a tool's call waits for messages to be written to open streams."""


class GroupVerbs:
    """Posts members' messages, and removes members by an operator's hand."""

    def __init__(
        self, engine: Engine, directory: Directory, actions: Actions, postman: Postman, dispatcher: Dispatcher
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._actions = actions
        self._postman = postman
        self._dispatcher = dispatcher

    # -- what members do (`engine.groups.Post`) ------------------------------------------------

    async def message(self, sender: LiveSession, group: str, text: str) -> Broadcast:
        """Send a text to the other members and return the broadcast with its receipts as they stand.

        Raises:
            InvalidInput: The text is empty or too long.
            LimitReached: The session sent too many messages within a minute.
            StoreUnavailable: The broadcast could not be stored; nothing was sent.
        """
        message = text.strip()
        if not message:
            raise InvalidInput("Write a message.", field="message")
        if len(message) > MAX_TEXT:
            raise InvalidInput(f"A message may have {MAX_TEXT:,} characters; this has {len(message):,}.")
        self._engine.groups.count_message(sender)
        data = {"event": "message", "group": group, "from": sender.record.id, "message": message}
        others = self._others(sender, group)
        stored = await self._dispatcher.send_in_group(sender, group, message, data, others)
        return await self._settled(stored)

    async def joined(self, member: LiveSession, group: str) -> int:
        """Tell the other members of a new one; how many are told, or will be with their next stream."""
        session_id = member.record.id
        return self._tell("joined", group, [session_id], self._others(member, group))

    async def left(self, server: str, group: str, session_ids: Sequence[str]) -> int:
        """Tell the members that are left who is one no more; how many are told, or will be with their next stream."""
        return self._tell("left", group, session_ids, self._members(server, group))

    def _tell(self, event: str, group: str, session_ids: Sequence[str], others: list[LiveSession]) -> int:
        who = f"Session {session_ids[0]}" if len(session_ids) == 1 else f"{len(session_ids)} sessions"
        data = {
            "event": event,
            "group": group,
            "from": session_ids[0],
            "sessions": list(session_ids),
            "message": f"{who} {event}",
        }
        message = Message(data, "info", LOGGER, time.time() + self._engine.settings.queue_seconds, group=group)
        mailing = Mailing(self._postman, message, others, lambda receipts: None)
        mailing.announce(others, is_for_all=False)
        reached = {DeliveryStatus.PENDING, DeliveryStatus.DELIVERED, DeliveryStatus.QUEUED}
        return sum(mailing.send(session).status in reached for session in others)

    def _others(self, session: LiveSession, group: str) -> list[LiveSession]:
        return [each for each in self._members(session.record.server, group) if each is not session]

    def _members(self, server: str, group: str) -> list[LiveSession]:
        found = self._engine.groups.get(server, group)
        members = (self._engine.by_id.get(each.session_id) for each in (found.members if found is not None else ()))
        return [member for member in members if member is not None]

    async def _settled(self, broadcast: Broadcast) -> Broadcast:
        """Return a broadcast once nothing is pending any more, or after a second."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while True:
            now = await self._directory.broadcast(broadcast.id)
            if not now.counts.get(DeliveryStatus.PENDING.value) or time.monotonic() > deadline:
                return now
            await asyncio.sleep(0.01)

    # -- what operators do ---------------------------------------------------------------------

    async def remove_member(self, actor: Actor, server: str, group: str, session_id: str, reason: str) -> bool:
        """End one membership; `False` when there was none. The session goes on, and may join again.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The reason is empty.
            NotFound: There is no such group.
        """
        async with self._actions.run(actor, "remove_member", f"{group} {session_id}", reason.strip()) as action:
            text = check_reason(reason)
            action.detail = {"group": group, "server": server, "session": session_id}
            if self._engine.groups.get(server, group) is None:
                raise NotFound(f"There is no group {group!r} any more: a group ends with its last member.")
            session = self._engine.by_id.get(session_id)
            if session is None or not await self._engine.groups.leave(session, group):
                action.outcome = "refused"
                return False
            detail = json.dumps({"by": actor.name, "reason": text, "group": group})
            session.note(EventKind.OPERATOR, "remove_member", detail)
            await self.left(server, group, [session_id])
            return True
