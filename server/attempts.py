"""Counting attempts in fixed windows, and saying when the next one is heard."""

from __future__ import annotations

import math
import time
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from .errors import LimitReached

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import FixedWindowRateLimiter


class Rate(NamedTuple):
    """How many attempts are heard in a window."""

    amount: int
    minutes: int
    namespace: str
    """Keeps its counts apart from those of other rates."""


class Attempts:
    """Counts kept in this process. What counts is loaded at the first attempt, which most servers never see."""

    @cached_property
    def _limiter(self) -> FixedWindowRateLimiter:
        from limits.storage import MemoryStorage
        from limits.strategies import FixedWindowRateLimiter

        return FixedWindowRateLimiter(MemoryStorage())

    def count(self, rate: Rate, *key: str) -> bool:
        """Count one attempt and return whether it is still within the limit."""
        return self._limiter.hit(_item(rate), *key)

    def admit(self, rate: Rate, *key: str) -> None:
        """Count one attempt.

        Raises:
            LimitReached: There were too many; `retry_after` says when the next one is heard.
        """
        item = _item(rate)
        if self._limiter.hit(item, *key):
            return
        reset = self._limiter.get_window_stats(item, *key).reset_time
        wait = max(1, math.ceil(reset - time.time()))
        raise LimitReached("Too many attempts to sign in.", retry_after=wait)

    def forget(self, rate: Rate, *key: str) -> None:
        """Forget the attempts so far."""
        self._limiter.clear(_item(rate), *key)


def _item(rate: Rate) -> RateLimitItem:
    from limits import RateLimitItemPerMinute

    return RateLimitItemPerMinute(rate.amount, rate.minutes, namespace=rate.namespace)
