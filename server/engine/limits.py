"""How often each limit was reached, for the health page and `/metrics`."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple


class Limit(StrEnum):
    """The limits that hold by default."""

    SESSIONS = "sessions"
    PER_ADDRESS = "sessions_per_address"
    PER_PRINCIPAL = "sessions_per_principal"
    OPENED_PER_MINUTE = "opened_per_minute"
    IN_FLIGHT = "in_flight"
    STREAMS = "streams"
    BODY = "body"
    KEYS = "keys"


class LimitHits(NamedTuple):
    """How often one limit was reached since the start."""

    times: int
    last_at: float
    who: str
    """The address, principal or session that reached it last; `""` where it is nobody's own."""


class LimitCounter:
    """Counts by limit. For the event loop's thread only."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._hits: dict[Limit, LimitHits] = {}

    def hit(self, limit: Limit, who: str = "") -> None:
        """Count one request that a limit turned away."""
        before = self._hits.get(limit)
        self._hits[limit] = LimitHits(1 if before is None else before.times + 1, self._clock(), who[:200])

    def of(self, limit: Limit) -> LimitHits | None:
        """Return the hits of a limit; `None` when it was not reached."""
        return self._hits.get(limit)

    def latest(self, within: float) -> list[tuple[Limit, LimitHits]]:
        """Return the limits that were reached within the last `within` seconds."""
        since = self._clock() - within
        return [(limit, hits) for limit, hits in self._hits.items() if hits.last_at >= since]
