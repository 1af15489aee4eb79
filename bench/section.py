"""What one measurement reports: claims beside their goals, tables of figures, and how it was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple


class Claim(NamedTuple):
    """What the project claims, or works towards."""

    title: str
    measured: str
    goal: str
    is_met: bool


class Table(NamedTuple):
    """Figures, with a sentence above them."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """The outcome of one measurement."""

    key: str
    """`make bench ARGS="--only KEY"` measures it alone."""
    title: str
    claims: Sequence[Claim]
    tables: Sequence[Table]
    method: str
    settings: Sequence[str] = field(default_factory=tuple)


class Ratio(NamedTuple):
    """One figure relative to another: the median of the rounds, and the furthest rounds on either side."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
        """Return the ratio within each round, as one."""
        ratios = sorted(mine / other for mine, other in zip(ours, theirs, strict=True))
        return cls(median(ratios), ratios[0], ratios[-1])

    def __str__(self) -> str:
        return f"{self.median:.2f}x ({self.lowest:.2f} to {self.highest:.2f})"

    def at_least(self, title: str, bound: float) -> Claim:
        """Return the claim that the ratio is at least `bound`."""
        return Claim(title, str(self), f"at least {bound:g}x", self.median >= bound)

    def at_most(self, title: str, bound: float) -> Claim:
        """Return the claim that the ratio is at most `bound`."""
        return Claim(title, str(self), f"at most {bound:g}x", self.median <= bound)


def at_most(title: str, measured: float, bound: float, unit: str) -> Claim:
    """Return the claim that a figure is at most `bound`, both in `unit`."""
    return Claim(title, f"{measured:,.3g} {unit}", f"at most {bound:g} {unit}", measured <= bound)
