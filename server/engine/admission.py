"""Who may open another session: the limits that hold by default."""

from __future__ import annotations

import math
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping

from ..errors import LimitReached
from ..settings import Settings
from .limits import Limit, LimitCounter, RateLimiter

_WINDOW_SECONDS = 60.0
_MAX_TRACKED = 10_000
"""Addresses whose openings are remembered; beyond it the longest unseen one is forgotten."""


class Admission:
    """Counts live sessions in all, per address and per principal, openings per minute, and requests per minute."""

    def __init__(self, settings: Settings, hits: LimitCounter) -> None:
        self._settings = settings
        self._hits = hits
        self._rate = RateLimiter(settings.max_requests_per_minute)
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

    def admit_request(self, sender: str) -> None:
        """Count one request of `sender`: an address, or the principal that a token names.

        Raises:
            LimitReached: It sends more than `max_requests_per_minute`.
        """
        if not self._settings.has_limits:
            return
        wait = self._rate.wait(sender, time.monotonic())
        if wait > 0:
            self._hits.hit(Limit.REQUESTS_PER_MINUTE, sender)
            text = f"You send more than {self._settings.max_requests_per_minute:,} requests a minute."
            raise LimitReached(text, retry_after=math.ceil(wait))

    def admit_call(self, in_flight: int, session_id: str) -> None:
        """Allow a session one more request, or say why not.

        Raises:
            LimitReached: It has `max_in_flight` requests that are not answered yet.
        """
        if self._settings.has_limits and in_flight >= self._settings.max_in_flight:
            self._hits.hit(Limit.IN_FLIGHT, session_id)
            raise LimitReached(f"This session has {in_flight} requests in flight, its limit.", retry_after=1)

    def _check_totals(self, address: str, principal: str | None) -> None:
        settings = self._settings
        if self.live >= settings.max_sessions:
            self._hits.hit(Limit.SESSIONS, address)
            raise LimitReached(f"The server holds its limit of {settings.max_sessions:,} sessions.", retry_after=30)
        if self._by_address[address] >= settings.max_sessions_per_address:
            self._hits.hit(Limit.PER_ADDRESS, address)
            raise LimitReached(
                f"Your address holds its limit of {settings.max_sessions_per_address:,} sessions.", retry_after=30
            )
        if principal is not None and self._by_principal[principal] >= settings.max_sessions_per_principal:
            self._hits.hit(Limit.PER_PRINCIPAL, principal)
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
            self._hits.hit(Limit.OPENED_PER_MINUTE, address)
            raise LimitReached(f"Your address opened {limit:,} sessions within a minute.", retry_after=wait)
        times.append(now)
        if len(self._openings) > _MAX_TRACKED:
            self._openings.popitem(last=False)

    def most_of_one_address(self) -> tuple[int, str]:
        """Return the most live sessions that one address holds, and that address."""
        return _most(self._by_address)

    def most_of_one_principal(self) -> tuple[int, str]:
        """Return the same of a principal."""
        return _most(self._by_principal)

    def most_opened(self) -> tuple[int, str]:
        """Return the most sessions that one address opened within the last minute, and that address."""
        since = time.monotonic() - _WINDOW_SECONDS
        return _most({address: sum(1 for at in times if at >= since) for address, times in self._openings.items()})

    def most_requests(self) -> tuple[int, str]:
        """Return the most requests of one sender within about a minute, and that sender."""
        return self._rate.most(time.monotonic())

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


def _most(counts: Mapping[str, int]) -> tuple[int, str]:
    return max(((number, name) for name, number in counts.items()), default=(0, ""))
