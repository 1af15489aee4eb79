"""Swim lanes of a session: its life, its standalone stream with gaps, one lane for each busy method.

Everything is in per cent of the chart's width, so the drawing stretches with the page and its text does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from ...server.models import ANSWERS, STANDALONE_STREAM, Direction, Event, EventKind, InFlight, Session, SessionState
from ..jsontext import object_of
from .ticks import Tick, Window, draw_ticks

LANE_HEIGHT: Final = 30
_AXIS_HEIGHT: Final = 24
_METHOD_LANES: Final = 5
_SERVER_LANES: Final = 3
_MIN_WIDTH: Final = 0.45
"""Per cent; a call of a few milliseconds is still a visible stroke."""
_SHORT: Final = {
    "sampling/createMessage": "sampling",
    "elicitation/create": "elicitation",
    "roots/list": "roots",
}
"""What requests to the client are called beside their lane."""
_LIFE: Final = {
    SessionState.NOT_INITIALIZED.value: "init",
    SessionState.INITIALIZING.value: "init",
    SessionState.DETACHED.value: "detached",
}


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
    open: int
    longest: float | None
    """Seconds of the longest; `None` where nothing has a length."""


class Gap(NamedTuple):
    """A time without the standalone stream."""

    seconds: float
    resumed_from: int | None
    """The event after which the stream went on; `None` where the client began anew."""


class Lanes(NamedTuple):
    """The whole chart."""

    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    height: int
    gaps: tuple[Gap, ...]
    stream_seconds: float
    """How long the standalone stream was open within the chart's time."""
    lost: Span | None
    """The time about which the log tells nothing, or nothing any more."""


class _Row(NamedTuple):
    label: str
    style: str
    spans: list[Span]
    total: int = 0
    errors: int = 0
    open: int = 0
    longest: float | None = None


def draw_lanes(
    session: Session,
    events: Sequence[Event],
    calls: Sequence[InFlight],
    *,
    start: float,
    end: float,
    known_from: float | None = None,
    keep: Sequence[str] = (),
) -> Lanes:
    """Draw the time from `start` to `end`; `events` are in order of `seq` and may begin earlier.

    Args:
        known_from: The events tell nothing about the time before it; `None` when they are complete.
        keep: Lanes shown before, which stay even while they are empty, so that the page does not move.
    """
    window = Window(start, end)
    stream, gaps, seconds = _stream(session, events, window)
    rows = [_Row("Lifecycle", "life", _life(session, events, window), 1)]
    if stream or "GET stream" in keep:
        rows.append(_Row("GET stream", "stream", stream, len(stream) - len(gaps)))
    rows += _calls(events, calls, window, keep)
    rows.append(_notifications(events, start, window))
    lanes = tuple(
        Lane(
            row.label,
            row.style,
            _AXIS_HEIGHT + index * LANE_HEIGHT + LANE_HEIGHT // 2,
            tuple(row.spans),
            row.total,
            row.errors,
            row.open,
            row.longest,
        )
        for index, row in enumerate(rows)
    )
    is_lost = known_from is not None and known_from > max(session.created_at, start)
    lost = _span(window, "lost", session.created_at, known_from or start) if is_lost else None
    return Lanes(lanes, draw_ticks(window), _AXIS_HEIGHT + len(rows) * LANE_HEIGHT, tuple(gaps), seconds, lost)


def _span(window: Window, css: str, start: float, end: float) -> Span:
    left = window.x(start)
    width = max(_MIN_WIDTH, window.x(end) - left)
    return Span(css, round(min(left, 100 - width), 2), round(width, 2))


def _life(session: Session, events: Sequence[Event], window: Window) -> list[Span]:
    """Return the session's states one after another; the last one lasts until now, or until its end."""
    until = max(session.ended_at or window.end, session.created_at)
    changes = [(e.at, _LIFE.get(e.method or "", "")) for e in events if e.kind is EventKind.LIFECYCLE]
    marks = [(session.created_at, ""), *((at, css) for at, css in changes if session.created_at < at < until)]
    spans: list[Span] = []
    for index, (at, css) in enumerate(marks):
        ends = marks[index + 1][0] if index + 1 < len(marks) else until
        if ends > window.start and (not spans or ends > at):
            look = css if session.is_live else f"{css} ended"
            spans.append(_span(window, f"life {look}".strip(), at, ends))
    return _merge(spans)


def _stream(session: Session, events: Sequence[Event], window: Window) -> tuple[list[Span], list[Gap], float]:
    """Return the standalone stream's bars, the gaps between a close and the next opening, and how long it was open."""
    spans: list[Span] = []
    gaps: list[Gap] = []
    seconds = 0.0
    opened: float | None = None
    closed: float | None = None

    def close(at: float) -> None:
        nonlocal seconds
        begun = opened if opened is not None else window.start
        if at > window.start:
            spans.append(_span(window, "stream", begun, at))
            seconds += at - max(begun, window.start)

    for event in events:
        detail = object_of(event.payload) if event.kind is EventKind.STREAM else {}
        if detail.get("stream") != STANDALONE_STREAM:
            continue
        if event.method == "closed":
            close(event.at)
            opened, closed = None, event.at
            continue
        if closed is not None and event.at > window.start:
            spans.append(_span(window, "gap", closed, event.at))
            after = detail.get("after")
            resumed = after if event.method == "resumed" and isinstance(after, int) else None
            gaps.append(Gap(event.at - closed, resumed))
        opened = opened if opened is not None else event.at
    if opened is not None:
        close(session.ended_at or window.end)
    return spans, gaps, seconds


def _calls(events: Sequence[Event], open_calls: Sequence[InFlight], window: Window, keep: Sequence[str]) -> list[_Row]:
    found: dict[tuple[str, str], _Row] = {}

    def row(css: str, method: str) -> _Row:
        label = _SHORT.get(method, method) if css == "s" else method
        return found.setdefault((css, label), _Row(label, "calls", []))

    for event in events:
        if event.kind not in ANSWERS or event.method is None or event.at < window.start:
            continue
        # An answer goes the other way than its request.
        css = "s" if event.direction is Direction.FROM_CLIENT else "c"
        is_error, took = event.error_code is not None, (event.duration_us or 0) / 1e6
        into = row(css, event.method)
        into.spans.append(_span(window, "x" if is_error else css, event.at - took, event.at))
        label, style, spans, total, errors, still_open, longest = into
        found[css, label] = _Row(label, style, spans, total + 1, errors + is_error, still_open, max(took, longest or 0))
    for css, method, begun in _open(events, open_calls):
        into = row(css, method)
        into.spans.append(_span(window, f"{css} open", begun, window.end))
        found[css, into.label] = into._replace(open=into.open + 1)
    return _chosen(found, keep)


def _open(events: Sequence[Event], calls: Sequence[InFlight]) -> list[tuple[str, str, float]]:
    """Return what is not answered: the client's calls, and requests to the client that a waiting call sent."""
    waiting = {call.seq for call in calls if call.waiting_for_client}
    answered = {event.related_seq for event in events if event.kind in ANSWERS}
    asked = [
        ("s", event.method, event.at)
        for event in events
        if event.kind is EventKind.REQUEST
        and event.direction is Direction.FROM_SERVER
        and event.method is not None
        and event.seq not in answered
        and event.stream in waiting
    ]
    return [("c", call.method, call.started_at) for call in calls] + asked


def _chosen(found: dict[tuple[str, str], _Row], keep: Sequence[str]) -> list[_Row]:
    """Return the busiest lanes and those kept, in an order that does not depend on how busy they are."""
    rows: list[_Row] = []
    for css, most in (("c", _METHOD_LANES), ("s", _SERVER_LANES)):
        prefix = f"{css}:"
        kept = [label.removeprefix(prefix) for label in keep if label.startswith(prefix)][:most]
        busiest = sorted((key for key in found if key[0] == css), key=lambda key: -len(found[key].spans))
        labels = list(dict.fromkeys([*kept, *(label for _, label in busiest)]))[:most]
        for label in sorted(labels, key=_place):
            row = found.get((css, label), _Row(label, "calls", []))
            rows.append(row._replace(spans=_merge(row.spans), style=f"calls {css}"))
    return rows


_FIRST: Final = ("tools/call", "resources/read", "prompts/get", "sampling", "elicitation")


def _place(label: str) -> tuple[int, str]:
    return _FIRST.index(label) if label in _FIRST else len(_FIRST), label


def kept_lanes(lanes: Lanes) -> tuple[str, ...]:
    """Return the lanes of a chart as `draw_lanes` takes them for the next one."""
    return tuple(
        f"{lane.style.split()[1]}:{lane.label}" if lane.style.startswith("calls") else lane.label
        for lane in lanes.lanes
    )


def _notifications(events: Sequence[Event], start: float, window: Window) -> _Row:
    notes = [event for event in events if event.kind is EventKind.NOTIFICATION and event.at >= start]
    dots = [Span(_side(event.direction), window.x(event.at), 0) for event in notes]
    return _Row("notifications", "dots", list(dict.fromkeys(dots)), len(notes))


def _merge(spans: Sequence[Span]) -> list[Span]:
    """Join bars of one kind that would be drawn over each other."""
    by_css: dict[str, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda each: each.x):
        merged = by_css[span.css]
        last = merged[-1] if merged else None
        if last is not None and span.x - (last.x + last.width) < 0.1:
            right = max(last.x + last.width, span.x + span.width)
            merged[-1] = Span(last.css, last.x, round(right - last.x, 2))
        else:
            merged.append(span)
    # Errors last: they lie on top of what else was going on.
    order = sorted(by_css, key=lambda css: ("x" in css.split(), css))
    return [span for css in order for span in by_css[css]]


def _side(direction: Direction) -> str:
    return "c" if direction is Direction.FROM_CLIENT else "s"
