"""Who follows a live stream: a cap for each operator, and permission that is asked for again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from ..server.errors import LimitReached, StoreUnavailable
from ..server.models import Actor

MAX_FOLLOWERS: Final = 30
"""Live streams of one operator or token at once: more windows than anybody watches."""

RECHECK_SECONDS: Final = 4.0
"""Signing out, disabling and revoking end an open stream within 5 s, in other processes too."""


class Followers:
    """Counts live streams by operator. For the event loop's thread only."""

    def __init__(self, limit: int = MAX_FOLLOWERS) -> None:
        self._limit = limit
        self._counts: Counter[tuple[str, str]] = Counter()

    def check(self, actor: Actor) -> None:
        """Raise `LimitReached` when the actor follows as many streams as one may."""
        if self.count(actor) >= self._limit:
            raise LimitReached(f"{actor.name} follows {self._limit} live streams already; close one.", retry_after=5)

    def count(self, actor: Actor) -> int:
        """Return how many streams the actor follows now."""
        return self._counts[actor.kind, actor.name]

    @contextmanager
    def following(self, actor: Actor) -> Generator[None]:
        """Count one stream while it is open.

        Raises:
            LimitReached: As for `check`.
        """
        self.check(actor)
        key = (actor.kind, actor.name)
        self._counts[key] += 1
        try:
            yield
        finally:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]


class Permission:
    """Whether an open stream's follower may still read it; asks again every few seconds."""

    def __init__(
        self,
        identify: Callable[[], Awaitable[Actor | None]],
        *,
        clock: Callable[[], float] = monotonic,
        interval: float = RECHECK_SECONDS,
    ) -> None:
        """Args:
        identify: Resolves the stream's credential anew.
        """
        self._identify = identify
        self._clock = clock
        self._interval = interval
        self._checked_at = clock()

    async def holds(self) -> bool:
        """Whether the stream may go on. Cheap unless the interval has passed."""
        now = self._clock()
        if now - self._checked_at < self._interval:
            return True
        self._checked_at = now
        try:
            return await self._identify() is not None
        except StoreUnavailable:
            # Fail closed: the page reconnects and is told why.
            return False
