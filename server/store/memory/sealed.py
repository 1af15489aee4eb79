"""Sealed texts in memory, for re-sealing them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..base import SealedRow
from .events import MemoryEventLog
from .keys import MemoryKeyValues
from .sessions import MemoryRegistry


class MemorySealedRows:
    """Looks through everything: this engine is for tests and for short lives."""

    def __init__(self, keys: MemoryKeyValues, events: MemoryEventLog, sessions: MemoryRegistry) -> None:
        self._keys = keys
        self._events = events
        self._sessions = sessions

    async def stale(self, newest: str, *, after: SealedRow | None = None, limit: int = 100) -> list[SealedRow]:
        rows = [row for row in self._all() if not row.sealed.startswith(f"v1.{newest}.")]
        rows.sort(key=_position)
        if after is not None:
            rows = [row for row in rows if _position(row) > _position(after)]
        return [row for row in rows if row.table == rows[0].table][:limit]

    async def replace(self, rows: Sequence[tuple[SealedRow, str]], key_id: str) -> int:
        return sum(self._replace(row, token, key_id) for row, token in rows)

    def _replace(self, row: SealedRow, token: str, key_id: str) -> bool:
        if row.table == "event":
            return self._events.reseal(row.session_no, int(row.name), row.sealed, token)
        return self._keys.reseal(row.session_no, row.name, row.sealed, token, key_id)

    def _all(self) -> Iterator[SealedRow]:
        for session_no, name, sealed in self._keys.sealed_values():
            yield SealedRow("kv", session_no, name, self._sessions.reference(session_no), sealed)
        for session_no, seq, sealed in self._events.sealed_events():
            yield SealedRow("event", session_no, str(seq), self._sessions.reference(session_no), sealed)


def _position(row: SealedRow) -> tuple[bool, int, int, str]:
    is_event = row.table == "event"
    return is_event, row.session_no, int(row.name) if is_event else 0, row.name
