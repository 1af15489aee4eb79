"""Counting attempts in fixed windows, and saying when the next one is heard."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from .errors import LimitReached


class Attempts:
    """Counts kept in this process."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, item: RateLimitItem, *key: str) -> bool:
        """Count one attempt and return whether it is still within the limit."""
        return self._limiter.hit(item, *key)

    def admit(self, item: RateLimitItem, *key: str) -> None:
        """Count one attempt.

        Raises:
            LimitReached: There were too many; `retry_after` says when the next one is heard.
        """
        if self._limiter.hit(item, *key):
            return
        reset = self._limiter.get_window_stats(item, *key).reset_time
        wait = max(1, math.ceil(reset - time.time()))
        raise LimitReached("Too many attempts to sign in.", retry_after=wait)

    def forget(self, item: RateLimitItem, *key: str) -> None:
        """Forget the attempts so far."""
        self._limiter.clear(item, *key)
