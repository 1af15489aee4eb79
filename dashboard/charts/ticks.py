"""The time axis of a chart: its window, and marks at round times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

_STEPS: Final = (10, 30, 60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
"""Seconds between two marks; all round in every time zone up to half an hour."""
_MOST: Final = 6
_CLEAR: Final = 11.0
"""Per cent before the end that belong to the label of now."""
_CLEAR_NARROW: Final = 40.0
"""The same on a telephone, where that label takes a third of the width."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the time axis."""

    name: ClassVar[str] = "tick"
    x: float
    at: float
    anchor: str
    is_now: bool
    is_late: bool
    """Whether it is one that a narrow chart leaves out."""
    has_seconds: bool
    """Whether its label needs seconds to tell it from the next."""


class Window(NamedTuple):
    """The time a chart shows."""

    start: float
    end: float

    def x(self, at: float) -> float:
        """Return where a time is, in per cent of the width, within the chart."""
        return round(min(100.0, max(0.0, 100 * (at - self.start) / (self.end - self.start))), 2)


def draw_ticks(window: Window) -> tuple[Tick, ...]:
    """Return marks at round times, and one for the end."""
    length = window.end - window.start
    step = next((each for each in _STEPS if length / each <= _MOST), _STEPS[-1] * math.ceil(length / 86_400 / _MOST))
    first = math.ceil(window.start / step)
    times = [number * step for number in range(first, int(window.end // step) + 1)]
    shown = [at for at in times if window.x(at) <= 100 - _CLEAR]
    marks = [
        Tick(
            window.x(at),
            at,
            "start" if window.x(at) < 4 else "middle",
            is_now=False,
            is_late=index % 2 == 1 or window.x(at) > 100 - _CLEAR_NARROW,
            has_seconds=step < 60,
        )
        for index, at in enumerate(shown)
    ]
    return (*marks, Tick(100, window.end, "end", is_now=True, is_late=False, has_seconds=True))
