"""The swim lanes of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.models import Session
from ..charts.lanes import Lane, Lanes, Tick
from ..formatting import age, count
from ..urls import Urls
from .paging import Option

RANGES: Final = (5, 15, 60)
"""Minutes the chart can show."""
_USUAL_RANGE: Final = 15


@dataclass(frozen=True, slots=True)
class Timeline:
    """The chart, its legend and its table."""

    template: ClassVar[str] = "sessions/_timeline.html"
    name: ClassVar[str] = "timeline"
    minutes: int
    is_live: bool
    ranges: tuple[Option, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    height: int
    gap_note: str
    sentence: str


def default_range(session: Session, now: float) -> int:
    """Return the minutes to show unasked: fewer for a session that is younger than that."""
    age = (session.ended_at or now) - session.created_at
    return RANGES[0] if age < RANGES[0] * 60 else _USUAL_RANGE


def make_timeline(lanes: Lanes, urls: Urls, session: Session, minutes: int) -> Timeline:
    """Return the chart of the last `minutes`; of an ended session, those before its end."""
    ranges = tuple(
        Option(
            f"{each} min" if each < 60 else "1 h",
            urls.session(session.id, range=each),
            each == minutes,
        )
        for each in RANGES
    )
    busy = [lane for lane in lanes.lanes if lane.style == "calls"]
    calls = sum(lane.total for lane in busy)
    errors = sum(lane.errors for lane in busy)
    return Timeline(
        minutes,
        session.is_live,
        ranges,
        lanes.lanes,
        lanes.ticks,
        lanes.height,
        _gap_note(lanes.gaps),
        f"Last {minutes} minutes: {count(calls)} calls in {len(busy)} methods, {count(errors)} with an error.",
    )


def _gap_note(gaps: tuple[tuple[float, int | None], ...]) -> str:
    if not gaps:
        return ""
    seconds, after = gaps[-1]
    resumed = f", resumed from event {after}" if after is not None else ""
    more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    return f"Stream gap, {age(seconds)}{resumed}{more}"
