"""What was tried against which plane, and what came back: the table that `make attack` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

HEADINGS = ("plane", "threat", "tried", "refused as intended", "served as intended", "faults", "lost")

OUTCOME = "outcome of a threat"
"""The property by which a test's report carries its module's `Outcome`, as JSON, to where the table is printed."""


class Tally:
    """The cases of one threat."""

    def __init__(self, plane: str, threat: str) -> None:
        self.plane = plane
        self.threat = threat
        self.refused = 0
        """Cases that were turned away the way they should be."""
        self.served = 0
        """Cases that look like attacks and are a client's right, such as an odd name."""
        self.faults = 0
        """Cases answered with a 5xx, a hang or anything else that must not be."""
        self.lost = 0
        """Sessions, events, keys or audit entries that an attack cost somebody."""
        self._counted = 0

    def refuse(self, number: int = 1) -> None:
        """Count cases that were refused as intended."""
        self.refused += number

    def serve(self, number: int = 1) -> None:
        """Count cases that were served as intended."""
        self.served += number

    def judge(self, problems: Iterable[str], *, lost: Iterable[str] = ()) -> None:
        """Count what went wrong, and fail when there is any."""
        faults, gone = list(problems), list(lost)
        self.faults += len(faults)
        self.lost += len(gone)
        assert not faults, "\n".join(faults[:20])
        assert not gone, "\n".join(gone[:20])

    def close(self, has_passed: bool) -> None:
        """End a test: one that has counted nothing itself is one case."""
        counted = self.refused + self.served + self.faults + self.lost
        if counted == self._counted:
            self.refused += has_passed
            self.faults += not has_passed
        elif not has_passed and not self.faults and not self.lost:
            self.faults += 1
        self._counted = self.refused + self.served + self.faults + self.lost

    @property
    def outcome(self) -> Outcome:
        tried = self.refused + self.served + self.faults
        return Outcome(self.plane, self.threat, tried, self.refused, self.served, self.faults, self.lost)


class Outcome(NamedTuple):
    """What one threat's tests have come to so far; plain values, since tests may run in several processes."""

    plane: str
    threat: str
    tried: int
    refused: int
    served: int
    faults: int
    lost: int


class Threats:
    """All tallies of one process's tests."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def of(self, module: str, title: str) -> Tally:
        """Return the tally of a test module: `test_mcp_floods` is the MCP plane's threat `floods`."""
        if module not in self._tallies:
            plane, _, threat = module.removeprefix("test_").partition("_")
            self._tallies[module] = Tally(plane, title.partition(".")[0].partition("\n")[0] or threat)
        return self._tallies[module]


def table(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the lines of the table, one for each threat, with a sum."""
    rows = sorted(outcomes)
    sums = [sum(int(row[column]) for row in rows) for column in range(2, len(HEADINGS))]
    cells = [HEADINGS, *(tuple(map(str, row)) for row in rows), ("", "all", *map(str, sums))]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    return [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
