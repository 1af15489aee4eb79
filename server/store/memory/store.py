"""The memory engine put together."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..base import Retention, StoreHealth
from .audit import MemoryAuditLog
from .broadcasts import MemoryBroadcasts
from .events import MemoryEventLog
from .figures import MemoryFigures
from .groups import MemoryBlocks, MemoryGroups
from .keys import MemoryKeyValues
from .sealed import MemorySealedRows
from .sessions import MemoryRegistry


class MemoryStore:
    """A complete store without a file."""

    def __init__(self, *, retention: Retention | None = None, clock: Callable[[], float] = time.time) -> None:
        retention = retention or Retention()
        self._events = MemoryEventLog(retention)
        self._keys = MemoryKeyValues(clock)
        self._broadcasts = MemoryBroadcasts()
        self._figures = MemoryFigures()
        self._sessions = MemoryRegistry(retention, self._events, self._keys, self._broadcasts, self._figures)
        self._sealed = MemorySealedRows(self._keys, self._events, self._sessions)
        self._audit = MemoryAuditLog(clock)
        self._groups = MemoryGroups()
        self._blocks = MemoryBlocks()

    @property
    def events(self) -> MemoryEventLog:
        return self._events

    @property
    def sessions(self) -> MemoryRegistry:
        return self._sessions

    @property
    def keys(self) -> MemoryKeyValues:
        return self._keys

    @property
    def sealed(self) -> MemorySealedRows:
        return self._sealed

    @property
    def audit(self) -> MemoryAuditLog:
        return self._audit

    @property
    def broadcasts(self) -> MemoryBroadcasts:
        return self._broadcasts

    @property
    def figures(self) -> MemoryFigures:
        return self._figures

    @property
    def groups(self) -> MemoryGroups:
        return self._groups

    @property
    def blocks(self) -> MemoryBlocks:
        return self._blocks

    @property
    def is_durable(self) -> bool:
        return False

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """End every tail; what was kept stays readable until the object goes."""
        self._events.close()

    def health(self) -> StoreHealth:
        return StoreHealth(is_ok=True, message="Kept in memory only.", queued=0, last_commit_ms=0.0, failed_commits=0)
