"""Working through stored broadcasts, after a restart too; `sending.py` knows how each recipient is reached."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict, Unpack

from ..directory.directory import Directory
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..ids import new_reference
from ..models import Broadcast, DeliveryStatus, Receipt
from .sending import Mailing, Message, Postman
from .settling import Settling
from .wording import Wording

_AT_ONCE = 2
"""Messages between two pauses, to clients whose streams are then written: that takes five times what it takes here."""

_QUEUED_AT_ONCE = 20
"""The same, where no stream is open and the message only waits in the log."""

_PAUSE_SECONDS = 0.001
"""Between them: calls that are under way must not wait for a large audience."""

_LOOKED_AT_ONCE = 500
"""Recipients that are looked at between two turns of the loop."""

_RESUMED = 50
"""How many of the latest broadcasts a start looks through for what a restart left open."""


class Dispatcher:
    """Stores broadcasts with their recipients, and works through them; one for the process."""

    def __init__(self, engine: Engine, directory: Directory, postman: Postman) -> None:
        self._engine = engine
        self._directory = directory
        self._postman = postman
        self._settling = Settling(engine)
        self._stopped: set[str] = set()

    async def store(self, wanted: Broadcast, recipients: Sequence[LiveSession], gone: Sequence[str] = ()) -> Broadcast:
        """Store a draft and its pending receipts, or return the one with the same idempotency key."""
        names = {session.record.id: session.record.client_name for session in recipients}
        for each in gone:
            record = await self._engine.find_record(each)
            names[each] = record.client_name if record is not None else ""
        counts = {DeliveryStatus.PENDING.value: len(names)}
        return await self._engine.store.broadcasts.create(replace(wanted, audience=len(names), counts=counts), names)

    async def send_in_group(
        self, sender: LiveSession, group: str, text: str, data: object, others: Sequence[LiveSession]
    ) -> Broadcast:
        """Send a member's message to the other members of its group, and return it when it has been tried on all."""
        record = sender.record
        wanted = draft(
            f"session {record.id}",
            Wording(text, logger="coordination"),
            self._engine.settings.queue_seconds,
            filter=f"group:{group}",
            exclude=f"id:{record.id}",
            group=group,
            sender=record.id,
        )
        stored = await self.store(wanted, others)
        await self.send(stored, data, others)
        return stored

    async def send(
        self,
        broadcast: Broadcast,
        data: object,
        recipients: Sequence[LiveSession],
        *,
        gone: Sequence[str] = (),
        is_for_all: bool = False,
    ) -> None:
        """Try a stored broadcast on every recipient; what is settled later settles its receipt by itself."""
        mailing = Mailing(
            self._postman,
            _message(broadcast, data),
            recipients,
            lambda receipts: self._settling.add(broadcast.id, receipts),
        )
        mailing.announce(recipients, is_for_all=is_for_all)
        if gone:
            reason = "it had ended before anything was sent"
            lost = [Receipt(each, DeliveryStatus.FAILED, time.time(), reason) for each in gone]
            self._settling.add(broadcast.id, lost)
        # What waits for a stream anyway may wait for those that have one.
        streaming, others = await _apart(mailing, recipients)
        await self._send_in_lots(broadcast.id, mailing, streaming, _AT_ONCE)
        await self._send_in_lots(broadcast.id, mailing, others, _QUEUED_AT_ONCE)
        self._settling.flush(broadcast.id)
        if broadcast.id not in self._stopped:
            await self._engine.store.broadcasts.set_status(broadcast.id, "done")
        self._stopped.discard(broadcast.id)
        self._engine.bus.publish(broadcast.id)

    async def stop(self, broadcast_id: str) -> None:
        """Send a broadcast to nobody else; what is queued stays queued."""
        self._stopped.add(broadcast_id)
        await self._engine.store.broadcasts.set_status(broadcast_id, "stopped")

    async def _send_in_lots(
        self, broadcast_id: str, mailing: Mailing, recipients: Sequence[LiveSession], at_once: int
    ) -> None:
        for start in range(0, len(recipients), at_once):
            if start:
                await asyncio.sleep(_PAUSE_SECONDS)
            lot = recipients[start : start + at_once]
            if broadcast_id in self._stopped:
                now, reason = time.time(), "stopped by an operator"
                receipts = [Receipt(s.record.id, DeliveryStatus.SKIPPED, now, reason) for s in lot]
            else:
                receipts = [mailing.send(session) for session in lot]
            self._settling.add(broadcast_id, receipts)

    # -- after a restart -----------------------------------------------------------------------

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
            self._settling.add(broadcast.id, [lost])
        elif session.record.delivered_seq >= receipt.seq:
            settled = receipt._replace(status=DeliveryStatus.DELIVERED, reason=None)
            self._settling.add(broadcast.id, [settled])
        else:
            self._postman.expect(
                session, receipt.seq, broadcast.expires_at, lambda settled: self._settling.add(broadcast.id, settled)
            )


async def _apart(mailing: Mailing, recipients: Sequence[LiveSession]) -> tuple[list[LiveSession], list[LiveSession]]:
    """Return those that an open stream reaches now, and the others."""
    streaming: list[LiveSession] = []
    others: list[LiveSession] = []
    for start in range(0, len(recipients), _LOOKED_AT_ONCE):
        for session in recipients[start : start + _LOOKED_AT_ONCE]:
            reached = mailing.expect(session).status is DeliveryStatus.PENDING
            (streaming if reached else others).append(session)
        await asyncio.sleep(0)
    return streaming, others


class _Details(TypedDict, total=False):
    """The fields of a broadcast that only some have; see `models.Broadcast`."""

    filter: str
    exclude: str
    idempotency_key: str | None
    is_queued: bool
    is_trial: bool
    group: str
    sender: str | None


def draft(actor: str, wording: Wording, ttl_seconds: float, **details: Unpack[_Details]) -> Broadcast:
    """Return a broadcast that is not stored yet and has no audience."""
    now = time.time()
    empty = Broadcast(
        id=new_reference(),
        created_at=now,
        actor=actor,
        text=wording.text,
        level=wording.level,
        filter="",
        exclude="",
        status="sending",
        audience=0,
        counts={},
        expires_at=now + ttl_seconds,
        method=wording.method,
        logger=wording.logger,
        is_json=wording.is_json,
    )
    return replace(empty, **details)


def _message(broadcast: Broadcast, data: object) -> Message:
    return Message(
        data=data,
        level=broadcast.level,
        logger=broadcast.logger,
        expires_at=broadcast.expires_at,
        method=broadcast.method,
        is_queued=broadcast.is_queued,
        group=broadcast.group,
    )
