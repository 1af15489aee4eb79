"""Broadcast: one message to many, with a receipt for each; `sending.py` knows how each one is reached."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict, Unpack

from ..directory.directory import Directory
from ..engine.engine import Engine
from ..engine.session import LiveSession, forget_outcome
from ..errors import InvalidInput, NotFound
from ..filters import Filter, parse_filter
from ..ids import new_reference
from ..models import Actor, Broadcast, DeliveryStatus, Receipt, SessionKind
from ..modern.listeners import LOG_MESSAGE
from .actions import Actions
from .results import Reach
from .sending import Mailing, Message, Postman
from .wording import LOGGER, Wording, check_ttl, check_wording

_AT_ONCE = 100
"""Recipients between two turns of the loop: a concurrent call must not wait for a large audience."""

_RESUMED = 50
"""How many of the latest broadcasts a start looks through for what a restart left open."""


class BroadcastVerbs:
    """Sending messages to clients."""

    def __init__(self, engine: Engine, directory: Directory, actions: Actions, postman: Postman) -> None:
        self._engine = engine
        self._directory = directory
        self._actions = actions
        self._postman = postman
        self._stopped: set[str] = set()

    async def broadcast(
        self,
        actor: Actor,
        *,
        text: str = "",
        level: str = "info",
        method: str = LOG_MESSAGE,
        logger: str = LOGGER,
        is_json: bool = False,
        query: Filter | None = None,
        exclude: Filter | None = None,
        session_ids: Sequence[str] = (),
        idempotency_key: str | None = None,
        ttl_seconds: float | None = None,
        is_queued: bool = True,
        is_trial: bool = False,
    ) -> Broadcast:
        """Start to send a message and return at once; the figures fill up as it goes.

        Args:
            text: What log messages say; with `is_json` the JSON text of the value they carry.
            method: `notifications/message`, or a list-changed notification, which carries no text.
            query: Who gets it; without it, and without `session_ids`, every live session and client.
            exclude: Who gets nothing all the same.
            ttl_seconds: How long it waits for a client without a stream; `None` means the setting.
            is_queued: Whether it waits at all; otherwise a client without a stream is skipped.
            is_trial: Whether it is tried on one session first; the next trial is offered the same one.
            idempotency_key: A second broadcast with the same key returns the first one.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The message, its level or its logger is malformed, or a trial names no single session.
            NotFound: None of the chosen sessions is live any more.
        """
        chosen, excluded = query or parse_filter(""), exclude or parse_filter("")
        target = chosen.text or (", ".join(session_ids[:25]) if session_ids else "(all live sessions)")
        async with self._actions.run(actor, "try_broadcast" if is_trial else "broadcast", target) as action:
            wording = Wording(text.strip(), level, method, logger.strip(), is_json)
            data = check_wording(wording)
            check_ttl(ttl_seconds)
            if is_trial and len(session_ids) != 1:
                raise InvalidInput("Choose one session to try it on.", field="trial")
            recipients, gone = self._recipients(chosen, excluded, session_ids)
            wanted = _draft(
                actor.name,
                wording,
                self._engine.settings.queue_seconds if ttl_seconds is None else ttl_seconds,
                filter=chosen.text,
                exclude=excluded.text,
                idempotency_key=idempotency_key or None,
                is_queued=is_queued,
                is_trial=is_trial,
            )
            stored = await self._store(wanted, recipients, gone)
            action.detail = {"broadcast": stored.id, "audience": stored.audience, "level": level, "method": method}
            if stored.id == wanted.id:
                is_for_all = not session_ids and chosen.is_empty and excluded.is_empty
                self._engine.spawn(self.send(stored, data, recipients, gone=gone, is_for_all=is_for_all))
            return stored

    async def stop_broadcast(self, actor: Actor, broadcast_id: str) -> Broadcast:
        """Stop sending; what was sent is not unsent, and what is queued stays queued.

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

    def _recipients(
        self, query: Filter, exclude: Filter, session_ids: Sequence[str]
    ) -> tuple[list[LiveSession], list[str]]:
        """Return who gets it, and the chosen ones that have ended."""
        gone: list[str] = []
        if session_ids:
            found = {session_id: self._engine.by_id.get(session_id) for session_id in session_ids}
            gone = [session_id for session_id, session in found.items() if session is None]
            chosen = [session for session in found.values() if session is not None]
            if not chosen:
                raise NotFound("None of the chosen sessions is live any more.")
            now = time.time()
            live = [session for session in chosen if exclude.is_empty or not exclude.matches(session, now)]
        else:
            live = self._directory.audience_of(query, exclude)
        return live, gone

    def reach(
        self,
        wording: Wording,
        *,
        query: Filter | None = None,
        exclude: Filter | None = None,
        session_ids: Sequence[str] = (),
        is_queued: bool = True,
    ) -> Reach:
        """Return what such a broadcast would come to now, without sending anything.

        Raises:
            NotFound: None of the chosen sessions is live any more.
        """
        live, gone = self._recipients(query or parse_filter(""), exclude or parse_filter(""), session_ids)
        message = Message(None, wording.level, wording.logger, 0.0, wording.method, is_queued)
        mailing = Mailing(self._postman, message, live, lambda receipts: None)
        counts = Counter(mailing.expect(session).status for session in live)
        clients = sum(session.record.kind is SessionKind.CLIENT for session in live)
        return Reach(
            sessions=len(live) - clients,
            clients=clients,
            reached=counts[DeliveryStatus.PENDING],
            queued=counts[DeliveryStatus.QUEUED],
            not_listening=counts[DeliveryStatus.NOT_LISTENING],
            below_level=counts[DeliveryStatus.BELOW_LEVEL],
            skipped=counts[DeliveryStatus.SKIPPED],
            ended=len(gone) + counts[DeliveryStatus.FAILED],
        )

    async def _store(self, wanted: Broadcast, recipients: Sequence[LiveSession], gone: Sequence[str] = ()) -> Broadcast:
        ids = [*(session.record.id for session in recipients), *gone]
        counts = {DeliveryStatus.PENDING.value: len(ids)}
        return await self._engine.store.broadcasts.create(replace(wanted, audience=len(ids), counts=counts), ids)

    # -- sending -------------------------------------------------------------------------------

    async def send_in_group(
        self, sender: LiveSession, group: str, text: str, data: object, others: Sequence[LiveSession]
    ) -> Broadcast:
        """Send a member's message to the other members of its group, and return it when it has been tried on all."""
        record = sender.record
        wanted = _draft(
            f"session {record.id}",
            Wording(text, logger="coordination"),
            self._engine.settings.queue_seconds,
            filter=f"group:{group}",
            exclude=f"id:{record.id}",
            group=group,
            sender=record.id,
        )
        stored = await self._store(wanted, others)
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
            lambda receipts: self._settle(broadcast.id, receipts),
        )
        mailing.announce(recipients, is_for_all=is_for_all)
        # Those with an open stream first: what waits for a stream anyway may wait for them too.
        recipients = sorted(
            recipients, key=lambda session: mailing.expect(session).status is not DeliveryStatus.PENDING
        )
        if gone:
            reason = "it had ended before anything was sent"
            self._settle(broadcast.id, [Receipt(each, DeliveryStatus.FAILED, time.time(), reason) for each in gone])
        for start in range(0, len(recipients), _AT_ONCE):
            lot = recipients[start : start + _AT_ONCE]
            if broadcast.id in self._stopped:
                now, reason = time.time(), "stopped by an operator"
                receipts = [Receipt(s.record.id, DeliveryStatus.SKIPPED, now, reason) for s in lot]
            else:
                receipts = [mailing.send(session) for session in lot]
            self._settle(broadcast.id, receipts)
            await asyncio.sleep(0)
        if broadcast.id not in self._stopped:
            await self._engine.store.broadcasts.set_status(broadcast.id, "done")
        self._stopped.discard(broadcast.id)
        self._engine.bus.publish(broadcast.id)

    def _settle(self, broadcast_id: str, receipts: Sequence[Receipt]) -> None:
        self._engine.store.broadcasts.settle(broadcast_id, receipts).add_done_callback(forget_outcome)
        self._engine.bus.publish(broadcast_id)

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
            self._settle(broadcast.id, [lost])
        elif session.record.delivered_seq >= receipt.seq:
            self._settle(broadcast.id, [receipt._replace(status=DeliveryStatus.DELIVERED, reason=None)])
        else:
            self._postman.expect(
                session, receipt.seq, broadcast.expires_at, lambda settled: self._settle(broadcast.id, settled)
            )


class _Details(TypedDict, total=False):
    """The fields of a broadcast that only some have; see `models.Broadcast`."""

    filter: str
    exclude: str
    idempotency_key: str | None
    is_queued: bool
    is_trial: bool
    group: str
    sender: str | None


def _draft(actor: str, wording: Wording, ttl_seconds: float, **details: Unpack[_Details]) -> Broadcast:
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
