"""Sessions in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import islice
from operator import attrgetter, itemgetter

from ...filters import Filter
from ...models import EndedId, SessionKind, SessionRecord, SessionState
from ..base import Retention
from ..ended import EndedSession, parse_sort
from ..limits import page_size
from ..text import json_text, plain_text
from .broadcasts import MemoryBroadcasts
from .done import done
from .events import MemoryEventLog
from .figures import MemoryFigures
from .keys import MemoryKeyValues

_PLAIN = tuple(
    field.name for field in fields(SessionRecord) if field.type in ("str", "str | None") and field.name != "init"
)


class MemoryRegistry:
    """Records by number; what callers pass and get are copies."""

    def __init__(
        self,
        retention: Retention,
        events: MemoryEventLog,
        keys: MemoryKeyValues,
        broadcasts: MemoryBroadcasts,
        figures: MemoryFigures,
    ) -> None:
        self._retention = retention
        self._events = events
        self._keys = keys
        self._broadcasts = broadcasts
        self._figures = figures
        self._records: dict[int, SessionRecord] = {}
        self._ended_ids: dict[bytes, EndedId] = {}
        """In the order they were dropped, the first one first."""
        self._last_no = 0
        self.ended_version = 0
        events.records = self._records

    def allocate(self) -> int:
        self._last_no += 1
        return self._last_no

    def reference(self, session_no: int) -> str:
        """Return the public reference of a session; `""` for one that is not kept."""
        record = self._records.get(session_no)
        return record.id if record is not None else ""

    def save(self, record: SessionRecord) -> asyncio.Future[None]:
        return self.save_many((record,))

    def save_many(self, records: Sequence[SessionRecord]) -> asyncio.Future[None]:
        for record in records:
            kept = replace(record, epochs=list(record.epochs))
            for name in _PLAIN:
                setattr(kept, name, plain_text(getattr(kept, name)))
            kept.init = json_text(kept.init)
            self._records[record.no] = kept
            self.ended_version += not record.state.is_live
        return done()

    async def load_live(self) -> list[SessionRecord]:
        return [self._restored(record) for record in self._records.values() if record.state.is_live]

    async def find(self, *, sid_hash: bytes | None = None, session_id: str | None = None) -> SessionRecord | None:
        found = [
            record
            for record in self._records.values()
            if (sid_hash is not None and record.sid_hash == sid_hash)
            or (session_id is not None and record.id == session_id)
        ]
        return self._restored(max(found, key=attrgetter("no"))) if found else None

    async def ended_id(self, sid_hash: bytes) -> EndedId | None:
        return self._ended_ids.get(sid_hash)

    async def ended(
        self,
        query: Filter,
        *,
        now: float,
        sort: str = "-last_seen",
        limit: int = 50,
        after: tuple[float | int | str, str] | None = None,
    ) -> list[SessionRecord]:
        attribute, is_descending = parse_sort(sort)
        rows = [((getattr(record, attribute), record.id), record) for record in self._matching(query, now)]
        rows.sort(key=itemgetter(0), reverse=is_descending)
        if after is not None:
            rows = [row for row in rows if (row[0] < after if is_descending else row[0] > after)]
        return [self._copy(record) for _, record in rows[: page_size(limit)]]

    async def count_ended(self, query: Filter, *, now: float) -> dict[str, int]:
        return dict(Counter(record.state.value for record in self._matching(query, now)))

    async def ended_numbers(self, query: Filter, *, now: float, limit: int) -> list[int]:
        found = sorted(self._matching(query, now), key=attrgetter("last_activity_at", "id"), reverse=True)
        return [record.no for record in found[:limit]]

    async def sweep(self, now: float) -> int:
        self.ended_version += 1
        removed = self._events.drop_before(now - self._retention.max_age_seconds)
        if self._retention.max_stream_age_seconds is not None:
            removed += self._events.drop_of_streams(now - self._retention.max_stream_age_seconds, now)
        if self._retention.payload_seconds is not None:
            self._events.drop_payloads(now - self._retention.payload_seconds, now)
        for record in list(self._records.values()):
            if self._is_over(record, now):
                self._remember(record)
                del self._records[record.no]
                removed += 1 + self._events.forget(record.no) + self._keys.forget(record.no)
        removed += self._forget_ids(now - self._retention.ended_id_seconds)
        removed += self._broadcasts.drop_before(now - self._retention.broadcast_seconds)
        return removed + self._figures.drop_before(now - self._retention.figures_seconds)

    def _remember(self, record: SessionRecord) -> None:
        if record.sid_hash is None or record.state is SessionState.REJECTED:
            return
        self._ended_ids.pop(record.sid_hash, None)
        self._ended_ids[record.sid_hash] = EndedId.of(record)

    def _forget_ids(self, before: float) -> int:
        over = [sid_hash for sid_hash, ended in self._ended_ids.items() if ended.ended_at <= before]
        for sid_hash in over:
            del self._ended_ids[sid_hash]
        surplus = list(islice(self._ended_ids, max(0, len(self._ended_ids) - self._retention.max_ended_ids)))
        for sid_hash in surplus:
            del self._ended_ids[sid_hash]
        return len(over) + len(surplus)

    def _is_over(self, record: SessionRecord, now: float) -> bool:
        if record.state.is_live:
            return False
        ended_at = record.last_activity_at if record.ended_at is None else record.ended_at
        is_rejected = record.state is SessionState.REJECTED
        kept = self._retention.rejected_session_seconds if is_rejected else self._retention.ended_session_seconds
        return ended_at <= now - kept

    def _matching(self, query: Filter, now: float) -> list[SessionRecord]:
        return [
            record
            for record in self._records.values()
            if not record.state.is_live
            and record.kind is not SessionKind.CLIENT
            and query.matches(EndedSession(record), now)
        ]

    def _copy(self, record: SessionRecord) -> SessionRecord:
        last_seq, trimmed_seq = self._events.bounds(record.no)
        return replace(
            record,
            epochs=list(record.epochs),
            last_seq=max(record.trimmed_seq, last_seq),
            trimmed_seq=max(record.trimmed_seq, trimmed_seq),
        )

    def _restored(self, record: SessionRecord) -> SessionRecord:
        return replace(self._copy(record), key_count=self._keys.size(record.no))
