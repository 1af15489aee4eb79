"""The overview: numbers, charts, what needs somebody, what operators did last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.directory import Health, Trends
from ...server.models import AuditEntry, percentile_us
from ..formatting import count, duration, rate, share
from ..urls import Urls
from ..wording import action_label, result_text
from .charts import Chart, RangeOption
from .detail import Number
from .sessions import FacetStrip
from .shell import LiveLink

MAX_CONCERNS: Final = 8


@dataclass(frozen=True, slots=True)
class NumberStrip:
    """The numbers; the stream replaces them together."""

    template: ClassVar[str] = "overview/_numbers.html"
    name: ClassVar[str] = "summary"
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Concern:
    """One line that needs somebody, and the list behind it."""

    name: ClassVar[str] = "concern"
    text: str
    url: str
    tone: str


@dataclass(frozen=True, slots=True)
class Attention:
    """At most eight concerns."""

    template: ClassVar[str] = "overview/_attention.html"
    name: ClassVar[str] = "attention"
    concerns: tuple[Concern, ...]


@dataclass(frozen=True, slots=True)
class Deed:
    """One operator action in a few words."""

    name: ClassVar[str] = "deed"
    actor: str
    text: str
    at: float
    url: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Recent:
    """The latest operator actions."""

    template: ClassVar[str] = "overview/_recent.html"
    name: ClassVar[str] = "recent"
    deeds: tuple[Deed, ...]


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """The whole page."""

    template: ClassVar[str] = "overview/index.html"
    name: ClassVar[str] = "overview"
    live_link: LiveLink
    ranges: tuple[RangeOption, ...]
    strip: NumberStrip
    facets: FacetStrip
    charts: tuple[Chart, ...]
    attention: Attention
    recent: Recent
    endpoint: str
    """Where clients connect; empty once a session has come."""


def make_strip(health: Health, trends: Trends, urls: Urls) -> NumberStrip:
    """Return the numbers: sessions, rate and calls as they are now, errors and latency of the range."""
    total, words = trends.total, trends.range.words
    half, high = percentile_us(total.latency, 0.5), percentile_us(total.latency, 0.95)
    live, in_flight, streams = health.live_sessions, health.in_flight, health.open_streams
    return NumberStrip(
        (
            Number("Live sessions", count(live), _change(live, trends), urls.sessions("state:live"), not live),
            Number(
                "Requests/s",
                rate(health.requests_per_second),
                f"{count(total.answers)} in {words}",
                urls.events(within=trends.range.name),
                not health.requests_per_second,
            ),
            Number(
                "Error rate",
                share(total.errors, total.answers),
                f"{count(total.errors)} of {count(total.answers)}",
                urls.events(errors=True, within=trends.range.name),
                not total.errors,
                "bad" if total.errors else "",
            ),
            Number(
                "Latency p95",
                "-" if high is None else duration(high / 1e6),
                "" if half is None else f"p50 {duration(half / 1e6)}",
                urls.calls(),
                high is None,
            ),
            Number(
                "In flight / Streams",
                count(in_flight),
                f"/ {count(streams)} streams",
                urls.calls(),
                not in_flight,
                note_url=urls.sessions("streams:>0"),
            ),
        )
    )


def _change(live: int, trends: Trends) -> str:
    """Return how the number of sessions has changed since the range began."""
    before = trends.points[0].gauges.live if trends.points else live
    words = trends.range.words
    if live == before:
        return f"unchanged in {words}"
    if not before:
        return f"+{count(live)} in {words}"
    return f"{'+' if live > before else '-'}{share(abs(live - before), before)} in {words}"


def make_attention(concerns: Sequence[Concern]) -> Attention:
    """Return the most pressing ones: what is broken before what may become so."""
    ranked = sorted(concerns, key=lambda concern: concern.tone != "bad")
    return Attention(tuple(ranked[:MAX_CONCERNS]))


def make_recent(entries: Iterable[AuditEntry], urls: Urls) -> Recent:
    """Return the latest actions."""
    return Recent(
        tuple(
            Deed(
                entry.actor,
                _deed(entry),
                entry.at,
                urls.audit(action=entry.action),
                entry.outcome in ("refused", "failed"),
            )
            for entry in entries
        )
    )


def _deed(entry: AuditEntry) -> str:
    """Return an action and what came of it; why it was not done is a sentence of its own."""
    joint = ": " if entry.outcome in ("refused", "failed") else " "
    result = result_text(entry)
    return f"{action_label(entry.action)}{joint if result else ''}{result}"
