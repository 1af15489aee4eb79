"""Many waits of one length that hardly ever run out, such as "answer as a stream after 0.2 s".

A timer of its own for each costs the event loop more than the wait is worth: they are kept in order of
their end, which is the order they began in, and one timer watches the first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

LAST_WRITE_SECONDS = 1.0
"""What a write that a slow reader blocks gets once its stream has been ended."""


def hurry(limit: asyncio.Timeout) -> None:
    """Give a write under way `LAST_WRITE_SECONDS` more at most: its stream has been ended."""
    soon = asyncio.get_running_loop().time() + LAST_WRITE_SECONDS
    if not limit.expired() and ((until := limit.when()) is None or soon < until):
        limit.reschedule(soon)


class Deadline:
    """One wait. `cancel` it when what it waits for has come."""

    __slots__ = ("_action", "at", "has_passed")

    def __init__(self, at: float, action: Callable[[], object]) -> None:
        self.at = at
        """The event loop's time at which it runs out."""
        self._action: Callable[[], object] | None = action
        self.has_passed = False
        """Whether it ran out before it was cancelled."""

    @property
    def is_over(self) -> bool:
        return self._action is None

    def cancel(self) -> None:
        """Do nothing when the time comes. Idempotent."""
        self._action = None

    def run(self) -> None:
        """Do what the wait was for, unless it is over."""
        action, self._action = self._action, None
        if action is not None:
            self.has_passed = True
            action()


class Deadlines:
    """Waits of `seconds` each, for one event loop; those of a loop that went before are forgotten."""

    __slots__ = ("_loop", "_queue", "_seconds", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._queue: deque[Deadline] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, action: Callable[[], object]) -> Deadline:
        """Run `action` in `seconds` unless the deadline is cancelled before; it must not raise."""
        loop = asyncio.get_running_loop()
        queue = self._queue
        if self._loop is not loop:  # an application may be run again, by another one
            queue.clear()
            self._loop, self._timer = loop, None
        while queue and queue[0].is_over:
            queue.popleft()
        deadline = Deadline(loop.time() + self._seconds, action)
        queue.append(deadline)
        if self._timer is None:
            self._timer = loop.call_at(deadline.at, self._run_due)
        return deadline

    def _run_due(self) -> None:
        loop = asyncio.get_running_loop()
        queue = self._queue
        while queue and (queue[0].is_over or queue[0].at <= loop.time()):
            queue.popleft().run()
        self._timer = loop.call_at(queue[0].at, self._run_due) if queue else None
