"""The overview: what there is now, what needs somebody, what operators did last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...server.directory import Health
from ...server.models import AuditEntry, Session
from ..formatting import count, duration, plural, rate
from ..urls import Urls
from ..wording import action_label, result_text
from .detail import Number
from .sessions import FacetStrip, SessionRow, make_rows
from .shell import LiveLink


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
    strip: NumberStrip
    facets: FacetStrip
    attention: Attention
    recent: Recent
    rows: tuple[SessionRow, ...]
    endpoint: str


def make_strip(health: Health, clients: int, urls: Urls) -> NumberStrip:
    """Return the numbers."""
    live, in_memory = health.live_sessions, health.live_sessions - health.hibernated
    store = health.store
    return NumberStrip(
        (
            Number(
                "Live sessions", count(live), f"{count(in_memory)} in memory", urls.sessions("state:live"), not live
            ),
            Number(
                "Requests per second", rate(health.requests_per_second), "both eras", "", not health.requests_per_second
            ),
            Number(
                "Calls in flight",
                count(health.in_flight),
                "not answered yet",
                urls.sessions("inflight:>0"),
                not health.in_flight,
            ),
            Number(
                "Open streams",
                count(health.open_streams),
                "held by clients",
                urls.sessions("streams:>0"),
                not health.open_streams,
            ),
            Number("Sessionless clients", count(clients), "of MCP 2026-07-28", urls.clients(), not clients),
            Number(
                "Last commit",
                duration(store.last_commit_ms / 1000),
                f"{plural(store.queued, 'write')} waiting" if store.is_ok else store.message,
                urls.health(),
                False,
                "" if store.is_ok else "bad",
            ),
        )
    )


def make_attention(health: Health, counts: Mapping[str, tuple[int, str]], urls: Urls) -> Attention:
    """Return what needs somebody; `counts` maps a sentence's end to how many, and the filter behind it."""
    concerns: list[Concern] = []
    if not health.store.is_ok:
        concerns.append(Concern(f"The store does not take writes: {health.store.message}", urls.health(), "bad"))
    for words, (number, query) in counts.items():
        if number:
            concerns.append(Concern(f"{plural(number, 'session')} {words}", urls.sessions(query), "warn"))
    if health.refused_sessions:
        text = f"{plural(health.refused_sessions, 'session')} refused by a limit since the start"
        concerns.append(Concern(text, urls.health(), "warn"))
    return Attention(tuple(concerns[:8]))


def make_recent(entries: Iterable[AuditEntry], urls: Urls) -> Recent:
    """Return the latest actions."""
    return Recent(
        tuple(
            Deed(
                entry.actor,
                f"{action_label(entry.action)} {result_text(entry)}".strip(),
                entry.at,
                urls.audit(action=entry.action),
                entry.outcome in ("refused", "failed"),
            )
            for entry in entries
        )
    )


def make_latest(sessions: Iterable[Session]) -> tuple[SessionRow, ...]:
    """Return the sessions heard last, without anything to choose."""
    return make_rows(sessions, can_act=False)
