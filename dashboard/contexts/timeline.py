"""The swim lanes of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.models import Session
from ..charts.lanes import Gap, Lane, Lanes, Span
from ..charts.ticks import Tick
from ..formatting import age, count, duration, plural, share
from ..urls import QueryValue, Urls
from .paging import Option

EVERYTHING: Final = 0
"""Stands for the session's whole life among the ranges."""
RANGES: Final = (5, 15, 60, EVERYTHING)
"""Minutes the chart can show."""
_USUAL_RANGE: Final = 15
_LABELS: Final = {5: "5 min", 15: "15 min", 60: "1 h", EVERYTHING: "All"}


@dataclass(frozen=True, slots=True)
class Timeline:
    """The chart, its legend and its table."""

    template: ClassVar[str] = "sessions/_timeline.html"
    name: ClassVar[str] = "timeline"
    title: str
    is_live: bool
    ranges: tuple[Option, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    height: int
    lost: Span | None
    gap_note: str
    sentence: str


def parse_range(text: str) -> int | None:
    """Return the minutes an address asks for, `EVERYTHING` for `all`, or `None` for anything else."""
    known = {range_value(each): each for each in RANGES}
    return known.get(text)


def range_value(minutes: int) -> str:
    """Return a range as addresses write it."""
    return "all" if minutes == EVERYTHING else str(minutes)


def default_range(session: Session, now: float) -> int:
    """Return the minutes to show unasked: fewer for a session that is younger than that."""
    lived = (session.ended_at or now) - session.created_at
    return RANGES[0] if lived < RANGES[0] * 60 else _USUAL_RANGE


def make_timeline(
    lanes: Lanes, urls: Urls, session: Session, minutes: int, *, seconds: float, **kept: QueryValue
) -> Timeline:
    """Return the chart of the last `minutes` (`seconds` in all); of an ended session, those before its end.

    `kept` is what the addresses of its other ranges keep of the page's own.
    """
    ranges = tuple(
        Option(_LABELS[each], urls.session(session.id, "timeline", range=range_value(each), **kept), each == minutes)
        for each in RANGES
    )
    title = _title(session, minutes, seconds)
    return Timeline(
        title,
        session.is_live,
        ranges,
        lanes.lanes,
        lanes.ticks,
        lanes.height,
        lanes.lost,
        _gap_note(lanes.gaps),
        _sentence(title, lanes, seconds),
    )


def _title(session: Session, minutes: int, seconds: float) -> str:
    if minutes == EVERYTHING:
        return f"{'Its' if session.is_live else 'Its whole'} life, {age(seconds)}"
    span = "Last hour" if minutes == 60 else f"Last {minutes} minutes"
    return span if session.is_live else f"{span} before its end"


def _sentence(title: str, lanes: Lanes, seconds: float) -> str:
    busy = [lane for lane in lanes.lanes if lane.style.startswith("calls")]
    methods = [lane for lane in busy if lane.total or lane.open]
    parts = [
        f"{title}: {plural(sum(lane.total for lane in busy), 'call')} in {plural(len(methods), 'method')}",
        f"{count(sum(lane.errors for lane in busy))} with an error",
        f"{count(sum(lane.open for lane in busy))} not answered yet",
    ]
    stream = next((lane for lane in lanes.lanes if lane.style == "stream"), None)
    if stream is not None:
        gaps = f", with {plural(len(lanes.gaps), 'gap')}" if lanes.gaps else ""
        parts.append(f"the GET stream was open {share(lanes.stream_seconds, seconds)} of the time{gaps}")
    return ", ".join(parts) + "."


def _gap_note(gaps: tuple[Gap, ...]) -> str:
    if not gaps:
        return ""
    last = gaps[-1]
    resumed = f", resumed from event {last.resumed_from}" if last.resumed_from is not None else ""
    more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    return f"Stream gap, {duration(last.seconds)}{resumed}{more}"
