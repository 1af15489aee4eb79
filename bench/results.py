"""What one run of the bench measured, and how its rounds become one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median

from bench.load import Sample
from bench.memory import IdleCost

Rounds = Mapping[tuple[str, int], Sequence[Sample]]
"""(contestant's key, connections) -> one sample per round."""

Memory = Mapping[str, Sequence[IdleCost]]
"""Title of the condition -> one entry per number of sessions."""


@dataclass(frozen=True)
class Results:
    """Everything measured."""

    rounds: Rounds
    memory: Memory

    def sample(self, key: str, connections: int) -> Sample:
        """Return the median of each figure over the rounds."""
        samples = self.rounds[key, connections]
        figures = {field.name: median(getattr(sample, field.name) for sample in samples) for field in fields(Sample)}
        return Sample(**figures)

    def ratio(self, figure: str, key: str, other: str, connections: int) -> Ratio:
        """Return the median over the rounds of `key`'s figure divided by `other`'s in the same round."""
        pairs = zip(self.rounds[key, connections], self.rounds[other, connections], strict=True)
        ratios = sorted(getattr(ours, figure) / getattr(theirs, figure) for ours, theirs in pairs)
        return Ratio(median(ratios), ratios[0], ratios[-1])


@dataclass(frozen=True)
class Ratio:
    """One figure relative to another: the median of the rounds, and the furthest rounds on either side."""

    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.median:.2f}x ({self.lowest:.2f} to {self.highest:.2f})"


@dataclass(frozen=True)
class Goal:
    """What the project claims, or works towards."""

    title: str
    figure: str
    connections: int
    bound: float
    is_floor: bool
    """The ratio to the bare SDK is to be at least the bound; otherwise at most."""

    def verdict(self, ratio: Ratio) -> str:
        """Return one sentence fragment: met or how far away."""
        met = ratio.median >= self.bound if self.is_floor else ratio.median <= self.bound
        distance = abs(ratio.median / self.bound - 1)
        if met:
            return f"met, {distance:.0%} better than the goal"
        return f"not met, {distance:.0%} away"


GOALS = (
    Goal("calls per second at 16 connections", "calls_per_second", 16, 2.0, True),
    Goal("median at 1 connection", "median_ms", 1, 0.6, False),
    Goal("p99 at 16 connections", "p99_ms", 16, 1.0, False),
)
