"""How fast a counter grows."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW_SECONDS = 10.0
_STEP_SECONDS = 0.5


class RateMeter:
    """Reads a counter when asked and answers with its growth over the last ten seconds."""

    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read
        self._samples: deque[tuple[float, int]] = deque([(time.monotonic(), read())])

    def per_second(self) -> float:
        """Return the growth per second; 0.0 until half a second has passed."""
        now, count = time.monotonic(), self._read()
        while len(self._samples) > 1 and now - self._samples[0][0] > _WINDOW_SECONDS:
            self._samples.popleft()
        then, before = self._samples[0]
        if now - self._samples[-1][0] >= _STEP_SECONDS:
            self._samples.append((now, count))
        return (count - before) / (now - then) if now - then >= _STEP_SECONDS else 0.0
