"""How often each limit was reached, for the health page and `/metrics`; and the rate that one sender may keep."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

_MAX_TRACKED: Final = 10_000
"""Senders whose rate is remembered; beyond it the longest unseen one starts afresh."""


class Limit(StrEnum):
    """The limits that hold by default."""

    SESSIONS = "sessions"
    PER_ADDRESS = "sessions_per_address"
    PER_PRINCIPAL = "sessions_per_principal"
    OPENED_PER_MINUTE = "opened_per_minute"
    REQUESTS_PER_MINUTE = "requests_per_minute"
    IN_FLIGHT = "in_flight"
    IN_FLIGHT_PER_ADDRESS = "in_flight_per_address"
    STREAMS = "streams"
    LISTEN_STREAMS = "listen_streams"
    CONNECTIONS = "connections"
    CONNECTIONS_PER_ADDRESS = "connections_per_address"
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


class RateLimiter:
    """A bucket of one minute's allowance per sender, filled evenly: a burst passes, a flood is held to the rate."""

    def __init__(self, per_minute: int) -> None:
        self._burst = float(per_minute)
        self._per_second = per_minute / 60.0
        self._buckets: OrderedDict[str, list[float]] = OrderedDict()

    def most(self, now: float) -> tuple[int, str]:
        """Return the most requests of one sender that are held against it, and that sender."""
        used = ((self._used(bucket, now), sender) for sender, bucket in self._buckets.items())
        return max(used, default=(0, ""))

    def _used(self, bucket: list[float], now: float) -> int:
        return round(self._burst - min(self._burst, bucket[0] + (now - bucket[1]) * self._per_second))

    def wait(self, sender: str, now: float) -> float:
        """Count one request; return 0 when it is allowed, or the seconds until one is.

        Args:
            now: Monotonic seconds.
        """
        bucket = self._buckets.get(sender)
        if bucket is None:
            self._buckets[sender] = [self._burst - 1.0, now]
            if len(self._buckets) > _MAX_TRACKED:
                self._buckets.popitem(last=False)
            return 0.0
        self._buckets.move_to_end(sender)
        left = min(self._burst, bucket[0] + (now - bucket[1]) * self._per_second)
        bucket[1] = now
        if left < 1.0:
            bucket[0] = left
            return (1.0 - left) / self._per_second
        bucket[0] = left - 1.0
        return 0.0
