"""What happened in a stretch of time, over all sessions: what the charts are drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

LATENCY_BOUNDS_US = (
    *(250, 500, 1_000, 2_000, 3_000, 5_000, 7_500),
    *(10_000, 15_000, 20_000, 30_000, 50_000, 75_000),
    *(100_000, 150_000, 200_000, 300_000, 500_000, 750_000),
    *(1_000_000, 1_500_000, 2_000_000, 3_000_000, 5_000_000, 7_500_000),
    *(10_000_000, 15_000_000, 30_000_000, 60_000_000, 120_000_000, 300_000_000),
)
"""Upper bounds of the latency histogram in microseconds; one more step holds what took longer."""

LATENCY_STEPS = len(LATENCY_BOUNDS_US) + 1

NO_LATENCY = (0,) * LATENCY_STEPS

_NAMES_KEPT = 40
"""A day of minutes stays small, however many names clients invent."""


class Gauges(NamedTuple):
    """How much of everything there is at one moment."""

    live: int = 0
    """Sessions that have not ended; sessionless clients do not count."""
    active: int = 0
    """Of these, heard within the last minute or with a call in flight."""
    in_flight: int = 0
    streams: int = 0
    memory_bytes: int = 0
    """Resident memory of the process; 0 where the system does not tell."""


class Figures(NamedTuple):
    """One stretch of time: what was answered in it, and how much there was at its end."""

    at: int
    """Unix seconds at which it begins."""
    seconds: int
    """How much of it has been counted: a minute under way holds fewer than 60."""
    gauges: Gauges = Gauges()
    handshake: int = 0
    """Requests answered in the handshake era."""
    modern: int = 0
    """Requests answered in the 2026-07-28 era."""
    errors: int = 0
    opened: int = 0
    """Sessions opened."""
    latency: tuple[int, ...] = NO_LATENCY
    """Answers by step of `LATENCY_BOUNDS_US`; streams that are answered at their end are left out."""
    by_name: Mapping[str, tuple[int, int]] = {}
    """`(answers, errors)` by method, with the tool's, prompt's or resource's name where one was given. A
    stranger's text, bounded in number and length."""

    @property
    def answers(self) -> int:
        return self.handshake + self.modern


def joined(parts: Sequence[Figures], at: int) -> Figures:
    """Return several stretches, oldest first and at least one, as one; the gauges are those of the last."""
    by_name: dict[str, tuple[int, int]] = {}
    for part in parts:
        for name, (answers, errors) in part.by_name.items():
            before = by_name.get(name, (0, 0))
            by_name[name] = (before[0] + answers, before[1] + errors)
    return Figures(
        at,
        sum(part.seconds for part in parts),
        parts[-1].gauges,
        sum(part.handshake for part in parts),
        sum(part.modern for part in parts),
        sum(part.errors for part in parts),
        sum(part.opened for part in parts),
        added(part.latency for part in parts),
        _bounded(by_name),
    )


def _bounded(by_name: Mapping[str, tuple[int, int]]) -> Mapping[str, tuple[int, int]]:
    """Keep the names with most errors, then with most answers; the others are left out."""
    if len(by_name) <= _NAMES_KEPT:
        return by_name
    ranked = sorted(by_name.items(), key=lambda item: (item[1][1], item[1][0]), reverse=True)
    return dict(ranked[:_NAMES_KEPT])


def added(histograms: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """Return the sum of latency histograms."""
    return tuple(map(sum, zip(NO_LATENCY, *histograms, strict=True)))


def percentile_us(latency: Sequence[int], share: float) -> float | None:
    """Return the latency that `share` of the answers stayed below, interpolated inside its step; `None` without any."""
    total = sum(latency)
    if not total:
        return None
    wanted, seen = share * total, 0
    for step, number in enumerate(latency):
        if number and seen + number >= wanted:
            low = LATENCY_BOUNDS_US[step - 1] if step else 0
            high = LATENCY_BOUNDS_US[step] if step < len(LATENCY_BOUNDS_US) else low
            return low + (high - low) * (wanted - seen) / number
        seen += number
    return float(LATENCY_BOUNDS_US[-1])
