"""How much the 2026-07-28 era may have open at once: it has no sessions, so requests count by who sends them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from starlette.types import Scope

from ..engine.engine import Engine
from ..engine.limits import Limit
from ..errors import LimitReached
from ..models import LISTEN
from .principals import Principal, address_of

_LISTEN = LISTEN.encode("ascii")


class SessionlessLimits:
    """Counts unanswered requests of an address, and listen streams of a principal or an address."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._in_flight: Counter[str] = Counter()
        self._listening: Counter[str] = Counter()

    @contextmanager
    def admitted(self, scope: Scope, principal: Principal | None, *, may_listen: bool) -> Generator[None]:
        """Count one request as long as it is being answered.

        Args:
            may_listen: Whether its era has listen streams, so that a header may say that it is one.

        Raises:
            LimitReached: Its sender has too many.
        """
        address = address_of(scope)
        is_listen = may_listen and any(name == b"mcp-method" and value == _LISTEN for name, value in scope["headers"])
        listener = address if principal is None else principal.key
        counted, key = (self._listening, listener) if is_listen else (self._in_flight, address)
        self._check(counted, key, address)
        counted[key] += 1
        try:
            yield
        finally:
            counted[key] -= 1
            if not counted[key]:
                del counted[key]

    def _check(self, counted: Counter[str], key: str, address: str) -> None:
        settings, hits = self._engine.settings, self._engine.limit_hits
        if not settings.has_limits:
            return
        if counted is self._listening and counted[key] >= settings.max_listen_streams:
            hits.hit(Limit.LISTEN_STREAMS, address)
            raise LimitReached(f"You hold {counted[key]:,} listen streams, the limit.", retry_after=5)
        if counted is self._in_flight and counted[key] >= settings.max_in_flight_per_address:
            hits.hit(Limit.IN_FLIGHT_PER_ADDRESS, address)
            raise LimitReached(f"Your address has {counted[key]:,} requests in flight, its limit.", retry_after=1)
