"""Counts what is answered, in slots of ten seconds and in minutes, for the charts and `/metrics`.

The hot path is one call per answer: an index into a histogram and a few additions, about a microsecond.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from ..models import ENDLESS_METHODS, LATENCY_BOUNDS_US, LATENCY_STEPS, Figures, Gauges, joined
from ..store.base import FiguresLog
from .calls import Call, call_target
from .session import forget_outcome

SLOT_SECONDS: Final = 10
MINUTE: Final = 60
SLOTS_KEPT: Final = 15 * 60 // SLOT_SECONDS + 6
"""The finest chart shows a quarter of an hour; the newest minutes may not be in a minute's row yet."""
MINUTES_KEPT: Final = 24 * 60 + 1

_MAX_NAMES: Final = 64
_MAX_NAME: Final = 80
OTHER_METHODS: Final = "other methods"

_Name = tuple[str, str | None]


class Totals:
    """Counters that only grow, from the start of the process."""

    __slots__ = ("duration_us", "errors", "handshake", "latency", "modern", "opened")

    def __init__(self) -> None:
        self.handshake = 0
        self.modern = 0
        self.errors = 0
        self.opened = 0
        self.duration_us = 0
        self.latency = [0] * LATENCY_STEPS

    @property
    def answers(self) -> int:
        return self.handshake + self.modern


class Meter:
    """The figures of now, of the last quarter of an hour in slots, and of the last day in minutes."""

    def __init__(self, log: FiguresLog, gauges: Callable[[], Gauges], clock: Callable[[], float] = time.time) -> None:
        self._log = log
        self._gauges = gauges
        self._clock = clock
        self.totals = Totals()
        self.slots: deque[Figures] = deque(maxlen=SLOTS_KEPT)
        self.minutes: deque[Figures] = deque(maxlen=MINUTES_KEPT)
        self._carried: Figures | None = None
        """What is known of the minute under way from before this process, or from its slots so far."""
        self.restored: Figures | None = None
        """What was known of the minute in which this process began from before it; its slots are not in it."""
        self._slot_at = self._start_of(clock(), SLOT_SECONDS)
        self._before = (0, 0, 0, 0)
        self._latency_before = list(self.totals.latency)
        self._names: dict[_Name, list[int]] = {}

    # -- the hot path --------------------------------------------------------------------------

    def answered(self, call: Call, *, is_modern: bool, is_error: bool) -> None:
        """Count the answer of a call."""
        totals = self.totals
        if is_modern:
            totals.modern += 1
        else:
            totals.handshake += 1
        method = call.method
        if method not in ENDLESS_METHODS:
            took = call.duration_us
            totals.duration_us += took
            totals.latency[bisect_left(LATENCY_BOUNDS_US, took)] += 1
        # A resource's address is different for every one of them, so it would name nothing.
        name = (method, call_target(method, call.params) if method != "resources/read" else None)
        counts = self._names.get(name)
        if counts is None:
            counts = self._new_name(name)
        counts[0] += 1
        if is_error:
            totals.errors += 1
            counts[1] += 1

    def _new_name(self, name: _Name) -> list[int]:
        """Names are the clients' own: beyond a bound they share one, first without their targets."""
        if len(self._names) >= _MAX_NAMES:
            name = (name[0], None)
            if name not in self._names and len(self._names) >= 2 * _MAX_NAMES:
                name = (OTHER_METHODS, None)
        return self._names.setdefault(name, [0, 0])

    # -- once a second -------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the last day from the store, so that charts go on where they were before a restart."""
        now = self._clock()
        found = await self._log.read(int(now) - MINUTES_KEPT * MINUTE)
        self.minutes.extend(found)
        if found and found[-1].at == self._start_of(now, MINUTE):
            self.restored = self._carried = self.minutes.pop()

    def roll(self) -> None:
        """Close the slot, and the minute, that have ended."""
        at = self._start_of(self._clock(), SLOT_SECONDS)
        if at != self._slot_at:
            self._close_slot(at)

    def flush(self) -> None:
        """Close what is under way, at the end of the process."""
        self._close_slot(self._start_of(self._clock(), SLOT_SECONDS))
        if self._carried is not None:
            self._save(self._carried)

    def now(self) -> Figures:
        """Return the slot under way, as far as it has come."""
        seconds = max(1, min(SLOT_SECONDS, round(self._clock() - self._slot_at)))
        return self._slot(self._slot_at)._replace(seconds=seconds)

    def this_minute(self) -> Figures | None:
        """Return the minute under way, up to its last whole slot."""
        return self._carried

    def _close_slot(self, next_at: int) -> None:
        slot = self._slot(self._slot_at)
        totals = self.totals
        self._before = (totals.handshake, totals.modern, totals.errors, totals.opened)
        self._latency_before = list(totals.latency)
        self._names = {}
        self._slot_at = next_at
        self.slots.append(slot)
        minute = self._start_of(slot.at, MINUTE)
        if self._carried is not None and self._carried.at != minute:
            self._close_minute(self._carried)
            self._carried = None
        parts = [slot] if self._carried is None else [self._carried, slot]
        self._carried = joined(parts, minute)
        if self._start_of(next_at, MINUTE) != minute:
            self._close_minute(self._carried)
            self._carried = None
        elif slot.answers or slot.opened:
            self._save(self._carried)

    def _close_minute(self, minute: Figures) -> None:
        self.minutes.append(minute)
        self._save(minute)

    def _save(self, minute: Figures) -> None:
        self._log.save(minute).add_done_callback(forget_outcome)

    def _slot(self, at: int) -> Figures:
        totals = self.totals
        handshake, modern, errors, opened = self._before
        return Figures(
            at,
            SLOT_SECONDS,
            self._gauges(),
            totals.handshake - handshake,
            totals.modern - modern,
            totals.errors - errors,
            totals.opened - opened,
            tuple(now - then for now, then in zip(totals.latency, self._latency_before, strict=True)),
            _shown(self._names.items()),
        )

    @staticmethod
    def _start_of(at: float, seconds: int) -> int:
        return int(at) // seconds * seconds


def _shown(names: Iterable[tuple[_Name, list[int]]]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for (method, target), (answers, errors) in names:
        name = (method if target is None else f"{method} {target}")[:_MAX_NAME]
        before = found.get(name, (0, 0))
        found[name] = (before[0] + answers, before[1] + errors)
    return found
