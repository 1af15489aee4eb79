"""How the process itself is: how late its event loop runs, and how much memory it holds."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import deque
from pathlib import Path
from typing import Final

LAG_SECONDS: Final = 0.25
"""Between two looks at the clock: an idle process wakes four times a second for it."""

_KEPT: Final = 240
"""A minute of looks."""

_STATM: Final = Path("/proc/self/statm")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class LoopLag:
    """Asks to be woken at a time and notes how much later it is. For the event loop's thread only."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=_KEPT)
        self._handle: asyncio.TimerHandle | None = None
        self._due = 0.0

    def start(self) -> None:
        """Begin to look; `stop` ends it."""
        self._wait(asyncio.get_running_loop())

    def stop(self) -> None:
        """Stop looking. Idempotent."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def latest(self) -> float:
        """Return the seconds the loop was late at the last look."""
        return self._lags[-1] if self._lags else 0.0

    def worst(self) -> float:
        """Return the most seconds it was late within the last minute."""
        return max(self._lags, default=0.0)

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = time.monotonic() + LAG_SECONDS
        self._handle = loop.call_later(LAG_SECONDS, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._lags.append(max(0.0, time.monotonic() - self._due))
        self._wait(loop)


def memory_bytes() -> int:
    """Return the resident memory of this process; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text("ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return _peak_memory()


def _peak_memory() -> int:
    """The most it has held so far, for systems without `/proc`."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
