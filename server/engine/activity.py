"""Requests and errors of the last five minutes, in 24 steps."""

from __future__ import annotations

from array import array

STEPS = 24
STEP_SECONDS = 12.5


class RecentActivity:
    """A ring of counters; 250 bytes, kept only for sessions that answered something."""

    __slots__ = ("_counts", "_newest")

    def __init__(self) -> None:
        self._counts = array("H", bytes(4 * STEPS))
        self._newest = 0

    def add(self, now: float, is_error: bool) -> None:
        """Count one answer at monotonic time `now`."""
        self._advance(int(now / STEP_SECONDS))
        slot = self._newest % STEPS
        self._bump(slot)
        if is_error:
            self._bump(STEPS + slot)

    def steps(self, now: float) -> tuple[tuple[int, int], ...]:
        """Return `(requests, errors)` per step, oldest first; empty when nothing happened."""
        self._advance(int(now / STEP_SECONDS))
        order = [(self._newest + 1 + i) % STEPS for i in range(STEPS)]
        counts = tuple((self._counts[i], self._counts[STEPS + i]) for i in order)
        return counts if any(requests for requests, _ in counts) else ()

    def _bump(self, index: int) -> None:
        if self._counts[index] < 65_535:
            self._counts[index] += 1

    def _advance(self, step: int) -> None:
        for passed in range(max(self._newest + 1, step - STEPS + 1), step + 1):
            self._counts[passed % STEPS] = self._counts[STEPS + passed % STEPS] = 0
        self._newest = max(self._newest, step)
