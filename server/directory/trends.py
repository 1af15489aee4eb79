"""What the charts show: the figures of the last quarter of an hour, hour or day in at most 150 points."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from ..engine.meter import MINUTE, SLOT_SECONDS, Meter
from ..models import Figures, joined

_STALE_SECONDS: Final = 5.0
"""How old an answer may be: every console that is open shares it."""

_NEW_SECONDS: Final = 1.0
"""The same while the first slots are under way: there is little to draw yet but this very moment."""

_FIRST_SLOTS: Final = 3

_FIRST_SECONDS: Final = 3
"""A slot that has just begun says nothing about a rate."""


class Range(NamedTuple):
    """How far back a chart goes, and how much time one of its points stands for."""

    name: str
    words: str
    seconds: int
    step: int


RANGES: Final = (
    Range("15m", "15 min", 15 * 60, SLOT_SECONDS),
    Range("1h", "1 h", 3_600, MINUTE),
    Range("24h", "24 h", 24 * 3_600, 10 * MINUTE),
)


class Trends(NamedTuple):
    """The figures of one range."""

    range: Range
    start: float
    end: float
    points: tuple[Figures, ...]
    """Oldest first, without those of which nothing is known. After a restart the older ones may be a minute each."""

    @property
    def total(self) -> Figures:
        """All of them as one; empty figures where there are none."""
        return joined(self.points, self.points[0].at) if self.points else Figures(int(self.start), 0)


def range_named(name: str) -> Range:
    """Return the range of that name; the shortest one for any other text."""
    return next((each for each in RANGES if each.name == name), RANGES[0])


class Trending:
    """Reads a meter; answers the same for a few seconds."""

    def __init__(self, meter: Meter, clock: Callable[[], float] = time.time) -> None:
        self._meter = meter
        self._clock = clock
        self._known: dict[str, Trends] = {}

    def of(self, wanted: Range) -> Trends:
        """Return the figures of a range up to now."""
        now, known = self._clock(), self._known.get(wanted.name)
        fresh = _STALE_SECONDS if len(self._meter.slots) >= _FIRST_SLOTS else _NEW_SECONDS
        if known is not None and 0 <= now - known.end < fresh:
            return known
        start = now - wanted.seconds
        points = self._slots(start) if wanted.step == SLOT_SECONDS else self._minutes(start, wanted.step)
        found = self._known[wanted.name] = Trends(wanted, start, now, tuple(points))
        return found

    def _slots(self, start: float) -> list[Figures]:
        slots, now = [slot for slot in self._meter.slots if slot.at >= start], self._meter.now()
        first = (slots[0].at if slots else now.at) // MINUTE * MINUTE
        # A minute of which slots are drawn is not drawn as well, but for what another process saw of it.
        minutes = [each for each in self._meter.minutes if start <= each.at < first]
        restored = self._meter.restored
        if restored is not None and restored.at == first >= start:
            minutes.append(restored)
        return [*minutes, *slots, *([now] if now.seconds >= _FIRST_SECONDS or now.answers else [])]

    def _minutes(self, start: float, step: int) -> list[Figures]:
        minutes = [each for each in self._known_minutes() if each.at >= start]
        if step == MINUTE:
            return minutes
        groups: dict[int, list[Figures]] = {}
        for minute in minutes:
            groups.setdefault(minute.at // step * step, []).append(minute)
        return [joined(parts, at) for at, parts in sorted(groups.items())]

    def _known_minutes(self) -> Iterable[Figures]:
        yield from self._meter.minutes
        if (under_way := self._meter.this_minute()) is not None:
            yield under_way
