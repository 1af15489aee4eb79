"""How streams came to their ends: readers that were too slow, connections that broke, and a cut at one constant age.

A proxy with a time limit ends every stream at the same age, whatever the server does. Clients reconnect, so nobody
sees more than a flicker; the ages give it away.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Final, NamedTuple

from .streams import OpenStream

_LOOKED_AT: Final = 8
"""Endings that are compared."""
_ALIKE: Final = 5
"""So many of them have to agree."""
_YOUNGEST: Final = 5.0
"""Seconds; clients that come and go are nobody's time limit."""
_SPREAD: Final = 0.02
_MIN_SPREAD: Final = 1.0


class StreamCut(NamedTuple):
    """An age at which streams are ended from outside."""

    age: float
    spread: float
    """Seconds that the ages lie apart from it at most."""
    alike: int
    of: int


class StreamFaults(NamedTuple):
    """Streams since the start that ended badly."""

    slow: int
    """Cut because a write took longer than `send_timeout_seconds`."""
    broken: int
    """Ended by an error of the connection while it was written to."""
    lost: int
    """Ended by the other side."""
    last_at: float | None
    """When the last one was slow or broken."""


class StreamWatch:
    """Notes the ends of streams. For the event loop's thread only."""

    def __init__(self) -> None:
        self._ages: deque[float] = deque(maxlen=_LOOKED_AT)
        self._slow = self._broken = self._lost = 0
        self._last_at: float | None = None

    def ended(self, opened: OpenStream, now: float | None = None) -> None:
        """Note the end of a stream; only those that the other side ended tell of a time limit."""
        at = time.time() if now is None else now
        reason = opened.end_reason
        if reason in ("slow", "error"):
            self._slow += reason == "slow"
            self._broken += reason == "error"
            self._last_at = at
        if opened.is_lost:
            self._lost += 1
            if at - opened.opened_at >= _YOUNGEST:
                self._ages.append(at - opened.opened_at)

    def faults(self) -> StreamFaults:
        """Return the counts."""
        return StreamFaults(self._slow, self._broken, self._lost, self._last_at)

    def cut(self) -> StreamCut | None:
        """Return the age at which most of the latest streams were ended; `None` while they have none in common."""
        best: StreamCut | None = None
        for age in self._ages:
            near = [other for other in self._ages if abs(other - age) <= max(_MIN_SPREAD, age * _SPREAD)]
            if len(near) >= _ALIKE and (best is None or len(near) > best.alike):
                middle = sorted(near)[len(near) // 2]
                spread = max(abs(other - middle) for other in near)
                best = StreamCut(middle, spread, len(near), len(self._ages))
        return best
