"""Swim lanes of a session: its life, its standalone stream with gaps, one lane for each busy method.

Everything is in per cent of the chart's width, so the drawing stretches with the page and its text does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from ...server.models import STANDALONE_STREAM, Direction, Event, EventKind, InFlight, Session
from ..jsontext import object_of

LANE_HEIGHT: Final = 30
_AXIS_HEIGHT: Final = 24
_METHOD_LANES: Final = 5
_TICKS: Final = 5
_MIN_WIDTH: Final = 0.45
"""Per cent; a call of a few milliseconds is still a visible stroke."""
_ANSWERS: Final = (EventKind.RESPONSE, EventKind.ERROR)


@dataclass(frozen=True, slots=True)
class Span:
    """A bar (`width` in per cent) or a dot (`width` 0) of a lane."""

    name: ClassVar[str] = "span"
    css: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the chart, with the figures of its row in the table view."""

    name: ClassVar[str] = "lane"
    label: str
    style: str
    """`life`, `stream`, `calls` or `dots`."""
    y: int
    """Middle of the lane in pixels from the top of the chart."""
    spans: tuple[Span, ...]
    total: int
    errors: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the time axis."""

    name: ClassVar[str] = "tick"
    x: float
    at: float
    anchor: str
    is_now: bool


class Lanes(NamedTuple):
    """The whole chart."""

    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    height: int
    gaps: tuple[tuple[float, int | None], ...]
    """Seconds without the standalone stream, and the event it was resumed from."""


class _Window(NamedTuple):
    start: float
    end: float

    def x(self, at: float) -> float:
        return round(min(100.0, max(0.0, 100 * (at - self.start) / (self.end - self.start))), 2)

    def span(self, css: str, start: float, end: float) -> Span:
        left = self.x(start)
        width = max(_MIN_WIDTH, self.x(end) - left)
        return Span(css, round(min(left, 100 - width), 2), round(width, 2))


def draw_lanes(
    session: Session, events: Sequence[Event], calls: Sequence[InFlight], *, start: float, end: float
) -> Lanes:
    """Draw the time from `start` to `end`; `events` are in order of `seq` and may begin earlier."""
    window = _Window(start, end)
    rows: list[tuple[str, str, list[Span], int, int]] = [("Lifecycle", "life", [_life(session, window)], 1, 0)]
    stream_spans, gaps = _stream(session, events, window)
    if stream_spans:
        rows.append(("GET stream", "stream", stream_spans, len(stream_spans) - len(gaps), 0))
    rows += _calls(events, calls, window)
    notes = [e for e in events if e.kind is EventKind.NOTIFICATION and e.at >= start]
    if notes:
        dots = [Span(_side(e.direction), window.x(e.at), 0) for e in notes]
        rows.append(("notifications", "dots", list(dict.fromkeys(dots)), len(notes), 0))
    lanes = tuple(
        Lane(label, style, _AXIS_HEIGHT + index * LANE_HEIGHT + LANE_HEIGHT // 2, tuple(spans), total, errors)
        for index, (label, style, spans, total, errors) in enumerate(rows)
    )
    return Lanes(lanes, _ticks(window), _AXIS_HEIGHT + len(rows) * LANE_HEIGHT, tuple(gaps))


def _life(session: Session, window: _Window) -> Span:
    until = session.ended_at or window.end
    return window.span("life" if session.is_live else "life ended", session.created_at, max(until, session.created_at))


def _stream(
    session: Session, events: Sequence[Event], window: _Window
) -> tuple[list[Span], list[tuple[float, int | None]]]:
    """Return the standalone stream's bars with the gaps between a close and the next opening."""
    spans: list[Span] = []
    gaps: list[tuple[float, int | None]] = []
    opened: float | None = None
    closed: float | None = None
    for event in events:
        if event.kind is not EventKind.STREAM or object_of(event.payload).get("stream") != STANDALONE_STREAM:
            continue
        if event.method == "closed":
            if event.at > window.start:
                spans.append(window.span("stream", opened or window.start, event.at))
            opened, closed = None, event.at
            continue
        if closed is not None and event.at > window.start:
            spans.append(window.span("gap", closed, event.at))
            after = object_of(event.payload).get("after")
            gaps.append((event.at - closed, after if event.method == "resumed" and isinstance(after, int) else None))
        opened = event.at
    if opened is not None:
        spans.append(window.span("stream", opened, session.ended_at or window.end))
    return spans, gaps


def _calls(
    events: Sequence[Event], open_calls: Sequence[InFlight], window: _Window
) -> list[tuple[str, str, list[Span], int, int]]:
    spans: dict[tuple[str, str], list[Span]] = defaultdict(list)
    errors: dict[tuple[str, str], int] = defaultdict(int)
    for event in events:
        if event.kind not in _ANSWERS or event.method is None or event.at < window.start:
            continue
        # An answer goes the other way than its request.
        css = "s" if event.direction is Direction.FROM_CLIENT else "c"
        key = (css, event.method)
        is_error = event.error_code is not None
        errors[key] += is_error
        took = (event.duration_us or 0) / 1e6
        spans[key].append(window.span("x" if is_error else css, event.at - took, event.at))
    for call in open_calls:
        spans["c", call.method].append(window.span("c open", call.started_at, window.end))
    busiest = sorted(spans, key=lambda key: (key[0], -len(spans[key])))
    client = [key for key in busiest if key[0] == "c"][:_METHOD_LANES]
    server = [key for key in busiest if key[0] == "s"][:2]
    return [
        (method, "calls", _merge(spans[css, method]), len(spans[css, method]), errors[css, method])
        for css, method in client + server
    ]


def _merge(spans: Sequence[Span]) -> list[Span]:
    """Join bars of one kind that would be drawn over each other."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda each: each.x):
        last = merged[-1] if merged else None
        if last is not None and last.css == span.css and span.x - (last.x + last.width) < 0.1:
            right = max(last.x + last.width, span.x + span.width)
            merged[-1] = Span(last.css, last.x, round(right - last.x, 2))
        else:
            merged.append(span)
    return merged


def _side(direction: Direction) -> str:
    return "c" if direction is Direction.FROM_CLIENT else "s"


def _ticks(window: _Window) -> tuple[Tick, ...]:
    step = (window.end - window.start) / _TICKS
    marks = [
        Tick(round(100 * i / _TICKS, 2), window.start + i * step, "start" if i == 0 else "middle", False)
        for i in range(_TICKS)
    ]
    return (*marks, Tick(100, window.end, "end", True))
