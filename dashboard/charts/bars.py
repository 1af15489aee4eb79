"""The 5-minute bars of a session: 24 strokes of two pixels, the newest two darker, errors red from the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

_HEIGHT: Final = 14
_BASE: Final = 16
_STEP: Final = 3
_NEWEST: Final = 2


class Bars(NamedTuple):
    """Three SVG paths, each possibly empty."""

    older: str
    newest: str
    errors: str


def draw_bars(recent: Sequence[tuple[int, int]], steps: int = 24) -> Bars:
    """Return the paths for `(requests, errors)` per step, oldest first, scaled to the session's own peak."""
    padded = [(0, 0)] * (steps - len(recent)) + list(recent[-steps:])
    peak = max((requests for requests, _ in padded), default=0)
    heights = [_height(requests, peak) for requests, _ in padded]
    cut = steps - _NEWEST
    red = "".join(
        _stroke(index, min(heights[index], max(2, _height(errors, peak))))
        for index, (_, errors) in enumerate(padded)
        if errors
    )
    older = "".join(_stroke(index, height) for index, height in enumerate(heights[:cut]))
    newest = "".join(_stroke(cut + index, height) for index, height in enumerate(heights[cut:]))
    return Bars(older, newest, red)


def _height(value: int, peak: int) -> int:
    """Whole pixels; a step without requests keeps one pixel as the base line."""
    return max(2, round(_HEIGHT * value / peak)) if value and peak else 1


def _stroke(index: int, height: int) -> str:
    return f"M{index * _STEP + 1} {_BASE}v-{height}"
