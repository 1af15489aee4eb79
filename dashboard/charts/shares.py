"""A bar divided in proportion, for the states of sessions and the receipts of a broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

_SMALLEST: Final = 0.35
"""Per cent; a part that exists is never too thin to be seen."""
_GAP: Final = 0.12


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of the bar, in per cent of its width."""

    name: ClassVar[str] = "segment"
    status: str
    x: float
    width: float


def divide(counts: Mapping[str, int], *, out_of: int | None = None) -> tuple[Segment, ...]:
    """Return the parts in the mapping's order, zeros left out; with `out_of`, the rest of the bar stays empty."""
    present = {status: count for status, count in counts.items() if count > 0}
    total = max(out_of or 0, sum(present.values()))
    if not present:
        return ()
    raw = {status: max(_SMALLEST, 100 * count / total) for status, count in present.items()}
    scale = min(1.0, 100 / sum(raw.values()))
    segments: list[Segment] = []
    x = 0.0
    for status, width in raw.items():
        width *= scale
        segments.append(Segment(status, round(x, 2), round(max(width - _GAP, 0.1), 2)))
        x += width
    return tuple(segments)
