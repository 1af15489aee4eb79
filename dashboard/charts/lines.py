"""Line charts over time as SVG paths: a plot of 1,000 by 100 units that stretches with the page, text outside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

WIDTH: Final = 1_000
HEIGHT: Final = 100
TOP: Final = 18
"""Pixels above the plot; the plot is `HEIGHT` pixels high, so only its width is stretched."""

_TICKS: Final = 3


class Sample(NamedTuple):
    """One point: the middle of its time, how long it is, and its value; `None` leaves a gap."""

    at: float
    seconds: float
    value: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: ClassVar[str] = "line"
    css: str
    label: str
    now: str
    """Its last value in words."""
    path: str
    area: str
    """The same closed down to the base; empty where the line is not filled."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One line across the plot with what it stands for."""

    name: ClassVar[str] = "mark"
    y: float
    """Pixels from the top of the drawing."""
    label: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One mark of the time axis."""

    name: ClassVar[str] = "moment"
    x: float
    """Per cent of the width."""
    at: float
    anchor: str
    is_now: bool


class Scale(NamedTuple):
    """From a value to a height, and the marks that say so."""

    height: Callable[[float], float]
    """0 at the base, 1 at the top."""
    marks: tuple[tuple[float, float], ...]
    """`(height, value)`."""


def linear(values: Sequence[float], *, least: float = 1.0, unit: float = 1.0) -> Scale:
    """Return a scale from 0 to a round number above the highest value, `least` at the least.

    Args:
        unit: What `values` are counted in; the scale itself takes whole values.
    """
    top = _round_up(max([least, *values]))

    def height(value: float) -> float:
        return min(1.0, value / (top * unit))

    return Scale(height, ((0.5, top * unit / 2), (1.0, top * unit)))


def logarithmic(values: Sequence[float]) -> Scale:
    """Return a scale from the power of ten below the lowest value to the one above the highest; values are positive."""
    low = math.floor(math.log10(max(1e-6, min(values, default=0.001))))
    high = max(low + 1, math.ceil(math.log10(max([1e-6, *values]))))

    def height(value: float) -> float:
        return min(1.0, max(0.0, (math.log10(max(value, 10.0**low)) - low) / (high - low)))

    powers = range(low + 1, high + 1)
    shown = powers if len(powers) <= _TICKS else powers[:: -(-len(powers) // _TICKS)]
    return Scale(height, tuple((height(10.0**power), 10.0**power) for power in shown))


def draw(
    samples: Sequence[Sample], scale: Scale, *, start: float, end: float, is_filled: bool = False
) -> tuple[str, str]:
    """Return the path of a line and of the area under it, broken where samples are missing."""
    path: list[str] = []
    area: list[str] = []
    for run in _runs(samples):
        points = [(_x(sample.at, start, end), _y(scale.height(sample.value or 0.0))) for sample in run]
        if len(points) == 1:
            points = [(max(0, points[0][0] - 2), points[0][1]), (min(WIDTH, points[0][0] + 2), points[0][1])]
        text = "M" + "L".join(f"{x} {y:g}" for x, y in points)
        path.append(text)
        area.append(f"{text}V{HEIGHT}H{points[0][0]}Z")
    return "".join(path), "".join(area) if is_filled else ""


def marks_of(scale: Scale, words: Callable[[float], str]) -> tuple[Mark, ...]:
    """Return the marks of a scale, written by `words`."""
    return tuple(Mark(round(TOP + HEIGHT * (1 - height), 1), words(value)) for height, value in scale.marks)


def moments(start: float, end: float) -> tuple[Moment, ...]:
    """Return the marks of the time axis: its beginning, two between, and now."""
    step = (end - start) / _TICKS
    between = [
        Moment(round(100 * i / _TICKS, 2), start + i * step, "start" if i == 0 else "middle", False)
        for i in range(_TICKS)
    ]
    return (*between, Moment(100, end, "end", True))


def _runs(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Take the samples apart where one is missing."""
    runs: list[list[Sample]] = []
    last: Sample | None = None
    for sample in samples:
        if sample.value is None:
            last = None
            continue
        # Half of either is between two neighbours' middles; twice that is a gap.
        is_near = last is not None and sample.at - last.at <= last.seconds + sample.seconds
        if is_near:
            runs[-1].append(sample)
        else:
            runs.append([sample])
        last = sample
    return runs


def _x(at: float, start: float, end: float) -> int:
    return round(min(1.0, max(0.0, (at - start) / (end - start))) * WIDTH)


def _y(height: float) -> float:
    return round(HEIGHT * (1 - height), 1)


def _round_up(value: float) -> float:
    """Return the next 1, 2, 2.5, 5 or 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * 0.9999)
