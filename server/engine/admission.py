"""Who may open another session: the limits that hold by default."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque

from ..errors import LimitReached
from ..settings import Settings

_WINDOW_SECONDS = 60.0
_MAX_TRACKED = 10_000
"""Addresses whose openings are remembered; beyond it the longest unseen one is forgotten."""


class Admission:
    """Counts live sessions in all, per address and per principal, and openings per minute."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_address: Counter[str] = Counter()
        self._by_principal: Counter[str] = Counter()
        self._openings: OrderedDict[str, deque[float]] = OrderedDict()
        self.live = 0
        self.refused = 0

    def admit(self, address: str, principal: str | None) -> None:
        """Allow one more session, or say why not.

        Raises:
            LimitReached: With the seconds to wait.
        """
        if not self._settings.has_limits:
            return
        try:
            self._check_totals(address, principal)
            self._check_rate(address)
        except LimitReached:
            self.refused += 1
            raise

    def _check_totals(self, address: str, principal: str | None) -> None:
        settings = self._settings
        if self.live >= settings.max_sessions:
            raise LimitReached(f"The server holds its limit of {settings.max_sessions:,} sessions.", retry_after=30)
        if self._by_address[address] >= settings.max_sessions_per_address:
            raise LimitReached(
                f"Your address holds its limit of {settings.max_sessions_per_address:,} sessions.", retry_after=30
            )
        if principal is not None and self._by_principal[principal] >= settings.max_sessions_per_principal:
            raise LimitReached(
                f"Your principal holds its limit of {settings.max_sessions_per_principal:,} sessions.", retry_after=30
            )

    def _check_rate(self, address: str) -> None:
        now = time.monotonic()
        times = self._openings.setdefault(address, deque())
        self._openings.move_to_end(address)
        while times and now - times[0] > _WINDOW_SECONDS:
            times.popleft()
        if len(times) >= self._settings.max_opened_per_minute:
            wait = int(_WINDOW_SECONDS - (now - times[0])) + 1
            limit = self._settings.max_opened_per_minute
            raise LimitReached(f"Your address opened {limit:,} sessions within a minute.", retry_after=wait)
        times.append(now)
        if len(self._openings) > _MAX_TRACKED:
            self._openings.popitem(last=False)

    def opened(self, address: str, principal: str | None) -> None:
        self.live += 1
        self._by_address[address] += 1
        if principal is not None:
            self._by_principal[principal] += 1

    def closed(self, address: str, principal: str | None) -> None:
        self.live -= 1
        _decrement(self._by_address, address)
        if principal is not None:
            _decrement(self._by_principal, principal)


def _decrement(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
