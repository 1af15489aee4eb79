"""Broadcasts and receipts in memory."""

from __future__ import annotations

import asyncio
import builtins
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...models import Broadcast, DeliveryStatus, Receipt
from ..limits import page_size
from ..text import plain_text
from .done import done


class MemoryBroadcasts:
    """Broadcasts in order of creation, each with its receipts by session."""

    def __init__(self) -> None:
        self._broadcasts: dict[str, Broadcast] = {}
        self._receipts: dict[str, dict[str, Receipt]] = {}

    async def create(self, broadcast: Broadcast, recipients: Mapping[str, str]) -> Broadcast:
        key = plain_text(broadcast.idempotency_key)
        if key is not None:
            for known in self._broadcasts.values():
                if known.idempotency_key == key:
                    return self._figures(known)
        receipts = {
            each: Receipt(each, DeliveryStatus.PENDING, broadcast.created_at, client=plain_text(client))
            for each, client in recipients.items()
        }
        kept = replace(
            broadcast,
            actor=plain_text(broadcast.actor),
            text=plain_text(broadcast.text),
            filter=plain_text(broadcast.filter),
            exclude=plain_text(broadcast.exclude),
            logger=plain_text(broadcast.logger),
            group=plain_text(broadcast.group),
            audience=len(receipts),
            idempotency_key=key,
        )
        self._broadcasts[broadcast.id] = kept
        self._receipts[broadcast.id] = receipts
        return self._figures(kept)

    def settle(self, broadcast_id: str, receipts: Sequence[Receipt]) -> asyncio.Future[None]:
        known = self._receipts.get(broadcast_id, {})
        for receipt in receipts:
            if receipt.session_id in known:
                client = known[receipt.session_id].client
                known[receipt.session_id] = receipt._replace(reason=plain_text(receipt.reason), client=client)
        return done()

    def set_status(self, broadcast_id: str, status: str) -> asyncio.Future[None]:
        known = self._broadcasts.get(broadcast_id)
        if known is not None:
            self._broadcasts[broadcast_id] = replace(known, status=status)
        return done()

    async def get(self, broadcast_id: str) -> Broadcast | None:
        known = self._broadcasts.get(broadcast_id)
        return self._figures(known) if known is not None else None

    async def list(self, *, limit: int = 50, before: str | None = None, group: str | None = None) -> list[Broadcast]:
        newest_first = list(reversed(self._broadcasts.values()))
        if before is not None:
            ids = [broadcast.id for broadcast in newest_first]
            newest_first = newest_first[ids.index(before) + 1 :] if before in ids else []
        chosen = [broadcast for broadcast in newest_first if group is None or broadcast.group == group]
        return [self._figures(broadcast) for broadcast in chosen[: page_size(limit)]]

    async def receipts(
        self, broadcast_id: str, *, status: DeliveryStatus | None = None, limit: int = 1_000, after: str = ""
    ) -> builtins.list[Receipt]:
        found = [
            receipt
            for receipt in self._receipts.get(broadcast_id, {}).values()
            if receipt.session_id > after and (status is None or receipt.status is status)
        ]
        return sorted(found)[: page_size(limit)]

    async def receipts_of(self, broadcast_id: str, session_ids: Sequence[str]) -> builtins.list[Receipt]:
        known = self._receipts.get(broadcast_id, {})
        return [known[each] for each in sorted(set(session_ids)) if each in known]

    async def last_trial(self, actor: str) -> str | None:
        for broadcast in reversed(self._broadcasts.values()):
            if broadcast.is_trial and broadcast.actor == plain_text(actor):
                return next(iter(self._receipts[broadcast.id]), None)
        return None

    async def queued(self, now: float) -> builtins.list[tuple[str, Receipt]]:
        return [
            (broadcast.id, receipt)
            for broadcast in self._broadcasts.values()
            if broadcast.expires_at > now
            for receipt in sorted(self._receipts[broadcast.id].values())
            if receipt.status is DeliveryStatus.QUEUED
        ]

    def drop_before(self, time: float) -> int:
        """Drop broadcasts made before and return how many rows that were."""
        old = [broadcast.id for broadcast in self._broadcasts.values() if broadcast.created_at <= time]
        removed = 0
        for broadcast_id in old:
            del self._broadcasts[broadcast_id]
            removed += 1 + len(self._receipts.pop(broadcast_id))
        return removed

    def _figures(self, broadcast: Broadcast) -> Broadcast:
        counts = Counter(receipt.status.value for receipt in self._receipts[broadcast.id].values())
        return replace(broadcast, counts={status.value: counts[status.value] for status in DeliveryStatus})
