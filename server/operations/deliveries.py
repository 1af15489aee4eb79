"""Messages that were appended for a client and have not been written to it yet."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from ..engine.session import LiveSession


class Waiting(NamedTuple):
    """One queued row."""

    expires_at: float
    report: Callable[[bool], None]
    """Told once: `True` when written to an open stream, `False` when its time ran out."""


class Deliveries:
    """Which rows of standalone streams somebody wants to hear about."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int], Waiting] = {}

    def expect(self, session_no: int, seq: int, expires_at: float, report: Callable[[bool], None]) -> None:
        """Report once when that row is written, or its time has run out."""
        self._waiting[session_no, seq] = Waiting(expires_at, report)

    def written(self, session: LiveSession, seq: int) -> None:
        """A row was written to an open stream."""
        if self._waiting and (waiting := self._waiting.pop((session.record.no, seq), None)) is not None:
            waiting.report(True)

    def forget(self, session: LiveSession) -> None:
        """The session has ended: what still waited for it is reported as not delivered."""
        number = session.record.no
        for key in [key for key in self._waiting if key[0] == number]:
            self._waiting.pop(key).report(False)

    def expire(self, now: float | None = None) -> None:
        """Report what can no longer be delivered."""
        limit = time.time() if now is None else now
        for key in [key for key, waiting in self._waiting.items() if waiting.expires_at < limit]:
            self._waiting.pop(key).report(False)
