"""Broadcast: one message to many, with a receipt for each.

Handshake era: a `notifications/message` on the session's standalone stream and on no other (a message
must not be repeated on two streams). 2026-07-28: the announcements resource and its listeners.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from ..data.messages import LEVELS
from ..directory.directory import Directory
from ..engine.engine import Engine
from ..engine.session import LiveSession, forget_outcome
from ..errors import InvalidInput, NotFound, Overloaded
from ..filters import Filter, parse_filter
from ..ids import new_reference
from ..models import (
    STANDALONE_STREAM,
    Actor,
    Broadcast,
    DeliveryStatus,
    Direction,
    EventKind,
    Receipt,
    SessionKind,
    SessionState,
)
from ..modern.announcements import URI, Announcements
from ..transport.messages import encode
from .actions import Actions
from .deliveries import Deliveries

MAX_TEXT = 10_000
MAX_TTL_SECONDS = 7 * 24 * 3600.0
_AT_ONCE = 100
"""Recipients between two turns of the loop: a concurrent call must not wait for a large audience."""

_RESUMED = 50
"""How many of the latest broadcasts a start looks through for what a restart left open."""

LOGGER = "switchroom"
"""The `logger` field of a broadcast's log message."""


class BroadcastVerbs:
    """Sending messages to clients."""

    def __init__(self, engine: Engine, directory: Directory, actions: Actions, deliveries: Deliveries) -> None:
        self._engine = engine
        self._directory = directory
        self._actions = actions
        self._deliveries = deliveries
        self._stopped: set[str] = set()
        self.announcements: dict[str, Announcements] = {}
        """By the name of the mounted server."""

    async def broadcast(
        self,
        actor: Actor,
        *,
        text: str,
        level: str = "info",
        query: Filter | None = None,
        exclude: Filter | None = None,
        session_ids: Sequence[str] = (),
        idempotency_key: str | None = None,
        ttl_seconds: float | None = None,
    ) -> Broadcast:
        """Start to send a message and return at once; the figures fill up as it goes.

        Args:
            query: Who gets it; without it, and without `session_ids`, every live session and client.
            ttl_seconds: How long it waits for a client without a stream; `None` means the setting.
            idempotency_key: A second broadcast with the same key returns the first one.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The text is empty or too long, or the level is unknown.
        """
        chosen = query or parse_filter("")
        excluded = exclude or parse_filter("")
        target = chosen.text or ("chosen sessions" if session_ids else "(all live sessions)")
        async with self._actions.run(actor, "broadcast", target) as action:
            message = check_message(text, level, ttl_seconds)
            recipients = self._recipients(chosen, excluded, session_ids)
            ttl = self._engine.settings.queue_seconds if ttl_seconds is None else ttl_seconds
            now = time.time()
            wanted = Broadcast(
                id=new_reference(),
                created_at=now,
                actor=actor.name,
                text=message,
                level=level,
                filter=chosen.text,
                exclude=excluded.text,
                status="sending",
                audience=len(recipients),
                counts={DeliveryStatus.PENDING.value: len(recipients)},
                expires_at=now + ttl,
                idempotency_key=idempotency_key,
            )
            stored = await self._engine.store.broadcasts.create(wanted, [s.record.id for s in recipients])
            action.detail = {"broadcast": stored.id, "audience": stored.audience, "level": level}
            if stored.id == wanted.id:
                is_for_all = not session_ids and chosen.is_empty and excluded.is_empty
                self._engine.spawn(self._send(stored, recipients, is_for_all))
            return stored

    async def stop_broadcast(self, actor: Actor, broadcast_id: str) -> Broadcast:
        """Stop sending; what was sent is not unsent.

        Raises:
            Forbidden: The actor may not act.
            NotFound: There is no such broadcast.
        """
        async with self._actions.run(actor, "stop_broadcast", broadcast_id) as action:
            found = await self._directory.broadcast(broadcast_id)
            if found.status != "sending":
                action.outcome = "refused"
                return found
            self._stopped.add(broadcast_id)
            await self._engine.store.broadcasts.set_status(broadcast_id, "stopped")
            return await self._directory.broadcast(broadcast_id)

    def _recipients(self, query: Filter, exclude: Filter, session_ids: Sequence[str]) -> list[LiveSession]:
        if not session_ids:
            return self._directory.audience_of(query, exclude)
        found = [self._engine.by_id.get(session_id) for session_id in dict.fromkeys(session_ids)]
        live = [session for session in found if session is not None]
        if not live:
            raise NotFound("None of the chosen sessions is live any more.")
        return live

    # -- sending -------------------------------------------------------------------------------

    async def _send(self, broadcast: Broadcast, recipients: list[LiveSession], is_for_all: bool) -> None:
        readers = None if is_for_all else frozenset(s.record.id for s in recipients)
        for announcements in self.announcements.values():
            announcements.add(broadcast.text, broadcast.level, readers)
        for start in range(0, len(recipients), _AT_ONCE):
            lot = recipients[start : start + _AT_ONCE]
            if broadcast.id in self._stopped:
                receipts = [_receipt(s, DeliveryStatus.SKIPPED, "stopped by an operator") for s in lot]
            else:
                receipts = [self._send_to(broadcast, session) for session in lot]
            self._settle(broadcast.id, receipts)
            await asyncio.sleep(0)
        if broadcast.id not in self._stopped:
            await self._engine.store.broadcasts.set_status(broadcast.id, "done")
        self._engine.bus.publish(broadcast.id)

    def _settle(self, broadcast_id: str, receipts: Sequence[Receipt]) -> None:
        self._engine.store.broadcasts.settle(broadcast_id, receipts).add_done_callback(forget_outcome)
        self._engine.bus.publish(broadcast_id)

    def _send_to(self, broadcast: Broadcast, session: LiveSession) -> Receipt:
        record = session.record
        if session.early_end is not None:
            return _receipt(session, DeliveryStatus.FAILED, "the session ended meanwhile")
        if record.kind is SessionKind.CLIENT:
            return self._announce(broadcast, session)
        if record.kind is SessionKind.HANDLE:
            reason = "a handle has no stream of its own; its client is addressed through its listen stream"
            return _receipt(session, DeliveryStatus.SKIPPED, reason)
        if record.state in (SessionState.NOT_INITIALIZED, SessionState.INITIALIZING):
            return _receipt(session, DeliveryStatus.SKIPPED, "its handshake is not finished")
        if record.log_level is not None and _severity(broadcast.level) < _severity(record.log_level):
            return _receipt(session, DeliveryStatus.BELOW_LEVEL, f"the client asked for {record.log_level} and above")
        try:
            return self._append(broadcast, session)
        except Overloaded as error:
            return _receipt(session, DeliveryStatus.FAILED, error.message)

    def _append(self, broadcast: Broadcast, session: LiveSession) -> Receipt:
        params = {"level": broadcast.level, "logger": LOGGER, "data": broadcast.text}
        payload = encode({"jsonrpc": "2.0", "method": "notifications/message", "params": params})
        event, committed = session.append(
            Direction.FROM_SERVER,
            EventKind.NOTIFICATION,
            "notifications/message",
            payload,
            stream=STANDALONE_STREAM,
            expires_at=broadcast.expires_at,
        )
        committed.add_done_callback(forget_outcome)
        self._expect(broadcast.id, session, event.seq, broadcast.expires_at)
        if session.open_stream(STANDALONE_STREAM) is not None:
            return _receipt(session, DeliveryStatus.PENDING, None, event.seq)
        return _receipt(session, DeliveryStatus.QUEUED, "no stream is open; sent with the next one", event.seq)

    def _expect(self, broadcast_id: str, session: LiveSession, seq: int, expires_at: float) -> None:
        session_id = session.record.id

        def report(was_written: bool) -> None:
            status = DeliveryStatus.DELIVERED if was_written else DeliveryStatus.FAILED
            reason = None if was_written else "no stream was opened in time, or the session ended"
            self._settle(broadcast_id, [Receipt(session_id, status, time.time(), reason, seq)])

        self._deliveries.expect(session.record.no, seq, expires_at, report)

    def _announce(self, broadcast: Broadcast, session: LiveSession) -> Receipt:
        announcements = self.announcements.get(session.record.server)
        if announcements is None or not announcements.is_enabled:
            return _receipt(session, DeliveryStatus.NOT_LISTENING, "announcements are turned off")
        if announcements.tell(session.record.id, self._announced(broadcast, session)):
            return _receipt(session, DeliveryStatus.PENDING, None)
        return _receipt(session, DeliveryStatus.NOT_LISTENING, f"it has no listen stream for {URI}")

    def _announced(self, broadcast: Broadcast, session: LiveSession) -> Callable[[bool], None]:
        def report(was_written: bool) -> None:
            if was_written and session.early_end is None:
                payload = encode(
                    {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": URI}}
                )
                session.write(Direction.FROM_SERVER, EventKind.NOTIFICATION, "notifications/resources/updated", payload)
            status = DeliveryStatus.DELIVERED if was_written else DeliveryStatus.FAILED
            self._settle(broadcast.id, [_receipt(session, status, None if was_written else "its stream was closed")])

        return report

    async def resume(self) -> None:
        """Take up what was under way before a restart: expect what is queued, settle what cannot come any more."""
        for broadcast_id, receipt in await self._engine.store.broadcasts.queued(time.time()):
            stored = await self._engine.store.broadcasts.get(broadcast_id)
            if stored is not None:
                self._resume_one(stored, receipt)
        for stored in await self._directory.broadcasts(limit=_RESUMED):
            if stored.status == "sending":
                await self._engine.store.broadcasts.set_status(stored.id, "stopped")
            if stored.counts.get(DeliveryStatus.PENDING.value):
                for receipt in await self._directory.receipts(stored.id, status=DeliveryStatus.PENDING):
                    self._resume_one(stored, receipt)

    def _resume_one(self, broadcast: Broadcast, receipt: Receipt) -> None:
        session = self._engine.by_id.get(receipt.session_id)
        if session is None or receipt.seq is None or broadcast.expires_at < time.time():
            lost = receipt._replace(status=DeliveryStatus.FAILED, at=time.time(), reason="the server restarted")
            self._settle(broadcast.id, [lost])
        elif session.record.delivered_seq >= receipt.seq:
            self._settle(broadcast.id, [receipt._replace(status=DeliveryStatus.DELIVERED, reason=None)])
        else:
            self._expect(broadcast.id, session, receipt.seq, broadcast.expires_at)


def check_message(text: str, level: str, ttl_seconds: float | None) -> str:
    """Return the text of a broadcast without surrounding space.

    Raises:
        InvalidInput: It is empty or too long, the level is unknown, or the time is out of bounds.
    """
    message = text.strip()
    if not message:
        raise InvalidInput("Write a message.", field="text")
    if len(message) > MAX_TEXT:
        raise InvalidInput(f"A message may have {MAX_TEXT:,} characters; this has {len(message):,}.", field="text")
    if level not in LEVELS:
        raise InvalidInput(f"{level!r} is no level: use one of {', '.join(LEVELS)}.", field="level")
    if ttl_seconds is not None and not 0 <= ttl_seconds <= MAX_TTL_SECONDS:
        raise InvalidInput("A message waits from 0 seconds to 7 days.", field="ttl_seconds")
    return message


def _severity(level: str) -> int:
    return next((index for index, known in enumerate(LEVELS) if known == level), 0)


def _receipt(session: LiveSession, status: DeliveryStatus, reason: str | None, seq: int | None = None) -> Receipt:
    return Receipt(session.record.id, status, time.time(), reason, seq)
