"""Broadcasts: whom one addresses, and what became of those that were sent."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..errors import NotFound
from ..filters import Filter
from ..models import Broadcast, DeliveryStatus, Receipt, Session, SessionKind, SessionRecord
from .reads import Reads

_CLIENT_WINDOW = 300.0
"""A sessionless client counts as an audience while it was heard within these seconds, or listens."""


_LATEST = 20
"""Broadcasts that are looked at for somebody who waits: minutes, not days, is how long one does."""

_SHARED_SECONDS = 3.0


class BroadcastReads(Reads):
    """Broadcasts and their receipts."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._waiting: tuple[float, int] | None = None

    async def waiting_broadcasts(self, *, is_shared: bool = False) -> int:
        """Return how many of the latest broadcasts still wait for somebody.

        Args:
            is_shared: What was counted for another follower in the last three seconds will do.
        """
        now = time.monotonic()
        if is_shared and self._waiting is not None and now - self._waiting[0] < _SHARED_SECONDS:
            return self._waiting[1]
        pending, queued = DeliveryStatus.PENDING.value, DeliveryStatus.QUEUED.value
        latest = await self.broadcasts(limit=_LATEST)
        waiting = sum(1 for each in latest if each.counts.get(pending) or each.counts.get(queued))
        self._waiting = (now, waiting)
        return waiting

    def audience_of(self, query: Filter, exclude: Filter) -> list[LiveSession]:
        """Return whom a broadcast addresses: live sessions, and sessionless clients heard lately or listening."""
        now = time.time()

        def is_chosen(session: LiveSession) -> bool:
            return query.matches(session, now) and (exclude.is_empty or not exclude.matches(session, now))

        def is_near(session: LiveSession) -> bool:
            return bool(session.streams) or now - session.record.last_activity_at < _CLIENT_WINDOW

        sessions = [s for s in self._engine.live() if is_chosen(s)]
        return sessions + [s for s in self._engine.live(clients=True) if is_near(s) and is_chosen(s)]

    async def broadcasts(
        self, *, limit: int = 50, before: str | None = None, group: str | None = None
    ) -> list[Broadcast]:
        """Return broadcasts, newest first; `group` chooses what its members sent, `""` what operators did."""
        return await self._engine.store.broadcasts.list(limit=limit, before=before, group=group)

    async def broadcast(self, broadcast_id: str) -> Broadcast:
        """Return one broadcast with its figures.

        Raises:
            NotFound: There is no such broadcast.
        """
        found = await self._engine.store.broadcasts.get(broadcast_id)
        if found is None:
            raise NotFound(f"Broadcast {broadcast_id} is not known here.")
        return found

    async def receipts(
        self, broadcast_id: str, *, status: DeliveryStatus | None = None, limit: int = 1_000, after: str = ""
    ) -> list[Receipt]:
        """Return what became of each recipient."""
        return await self._engine.store.broadcasts.receipts(broadcast_id, status=status, limit=limit, after=after)

    async def receipts_of(self, broadcast_id: str, session_ids: Sequence[str]) -> list[Receipt]:
        """Return what became of some recipients."""
        return await self._engine.store.broadcasts.receipts_of(broadcast_id, session_ids)

    async def last_trial(self, actor: str) -> Session | None:
        """Return the live session an operator tried a broadcast on last, or one of the same client in its place."""
        session_id = await self._engine.store.broadcasts.last_trial(actor)
        record = await self._engine.find_record(session_id) if session_id is not None else None
        if record is None:
            return None
        live = self._engine.by_id.get(record.id)
        if live is None:
            same = _who(record)
            alike = (s for s in self._engine.by_id.values() if _who(s.record) == same and s.early_end is None)
            live = max(alike, key=lambda session: session.record.last_activity_at, default=None)
        return self._engine.describe(live) if live is not None else None


def _who(record: SessionRecord) -> tuple[SessionKind, str, str | None]:
    """Return what tells a client that has come back from others."""
    return record.kind, record.client_name, record.principal_key
