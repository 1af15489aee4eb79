"""The head of a session's page: title, verbs, facts, six numbers, tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.filters.durations import spell
from ...server.models import InFlight, Session, SessionKind, StoredKey
from ..formatting import age, count, duration, rate, share, size
from ..urls import TABS, Urls
from ..wording import TRANSPORTS
from .audit import AuditTrail
from .capabilities import CapabilityList
from .failures import FailureList
from .history import History
from .keys import KeyList
from .log import Log
from .playback import NothingToPlay, Playback
from .possible import why_no_message, why_no_replay
from .resources import ResourceList
from .sessions import STATUS_LABELS, client_hue, client_letter, client_name
from .shell import LiveLink
from .streams import StreamList
from .timeline import Timeline


@dataclass(frozen=True, slots=True)
class StatusPill:
    """The state beside the title; the stream replaces it."""

    template: ClassVar[str] = "sessions/_status.html"
    name: ClassVar[str] = "pill"
    status: str
    label: str


@dataclass(frozen=True, slots=True)
class Head:
    """Title and verbs; those that a session cannot take are disabled, with the reason."""

    template: ClassVar[str] = "sessions/_head.html"
    name: ClassVar[str] = "head"
    id: str
    client: str
    version: str
    letter: str
    hue: int
    can_act: bool
    is_live: bool
    why_no_replay: str
    why_no_message: str
    secret: str
    """What its secret id is called and begins with, for people who compare it with a client's log."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. `kind` says how to write it: `text`, `code`, `ago`, `until`."""

    name: ClassVar[str] = "fact"
    label: str
    value: str
    kind: str = "text"
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Number:
    """One of the numbers, with what puts it in proportion."""

    name: ClassVar[str] = "number"
    label: str
    value: str
    note: str
    url: str
    is_zero: bool = False
    tone: str = ""
    note_url: str = ""
    note_at: float | None = None
    """When it last happened, told after the note."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Facts and numbers; the stream replaces them together."""

    template: ClassVar[str] = "sessions/_summary.html"
    name: ClassVar[str] = "summary"
    facts: tuple[Fact, ...]
    numbers: tuple[Number, ...]
    end_note: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab; a real address."""

    name: ClassVar[str] = "tab"
    label: str
    url: str
    count: int | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class Tabs:
    """The row of tabs; the stream replaces it for its counts."""

    template: ClassVar[str] = "sessions/_tabs.html"
    name: ClassVar[str] = "tabs"
    items: tuple[Tab, ...]


@dataclass(frozen=True, slots=True)
class SessionPanel:
    """What the chosen tab shows; the others are `None`."""

    name: ClassVar[str] = "panel"
    timeline: Timeline | None = None
    history: History | None = None
    log: Log | None = None
    play: Playback | None = None
    unplayed: NothingToPlay | None = None
    keys: KeyList | None = None
    streams: StreamList | None = None
    resources: ResourceList | None = None
    errors: FailureList | None = None
    capabilities: CapabilityList | None = None
    audit: AuditTrail | None = None


@dataclass(frozen=True, slots=True)
class SessionPage:
    """The whole page."""

    template: ClassVar[str] = "sessions/show.html"
    name: ClassVar[str] = "detail"
    head: Head
    pill: StatusPill
    summary: Summary
    tabs: Tabs
    panel: SessionPanel
    live_link: LiveLink


_SECRETS: Final = {SessionKind.HANDLE: "handle", SessionKind.SSE: "session_id"}
"""What clients call the secret that names their session."""


def make_pill(session: Session) -> StatusPill:
    """Return the state in shape, word and colour."""
    return StatusPill(session.status, STATUS_LABELS.get(session.status, session.status))


def make_head(session: Session, *, can_act: bool) -> Head:
    """Return title and verbs."""
    client = client_name(session)
    label = _SECRETS.get(session.kind, "Mcp-Session-Id")
    return Head(
        id=session.id,
        client=client,
        version=session.client_version,
        letter=client_letter(client),
        hue=client_hue(client),
        can_act=can_act,
        is_live=session.is_live,
        why_no_replay=why_no_replay(session),
        why_no_message=why_no_message(session),
        secret=f"{label} {session.mcp_session_id_prefix}…" if session.mcp_session_id_prefix else "",
    )


def make_summary(
    session: Session,
    urls: Urls,
    *,
    now: float,
    latency: tuple[float | None, float | None],
    last_error_at: float | None,
    calls: Sequence[InFlight],
    keys: Sequence[StoredKey],
    max_streams: int,
    max_key_bytes: int,
) -> Summary:
    """Return facts and numbers; `latency` is p50 and p95 in milliseconds."""
    return Summary(
        tuple(_facts(session, now)),
        tuple(_numbers(session, urls, now, latency, last_error_at, calls, keys, max_streams, max_key_bytes)),
        _end_note(session),
    )


def _facts(session: Session, now: float) -> list[Fact]:
    facts = [
        Fact("Protocol", session.protocol_version or "not negotiated", "code"),
        Fact("Transport", TRANSPORTS[session.kind]),
        Fact("Principal", session.principal or "none, this server asks for no token"),
        Fact("Server", session.server),
        Fact("Worker", session.worker_id, "code"),
    ]
    if session.signed_in is not None:
        facts.append(Fact("Signed in", f"{session.signed_in.user}, for", "until", session.signed_in.expires_at))
    if session.log_level:
        facts.append(Fact("Log level", session.log_level, "code"))
    facts.append(Fact("Created", "ago", "ago", session.created_at))
    if session.ended_at is not None:
        facts.append(Fact("Ended", "ago", "ago", session.ended_at))
    elif session.expires_at is not None and session.expires_at > now:
        facts.append(Fact("Expires", "in", "until", session.expires_at))
    elif session.kind is not SessionKind.CLIENT:
        facts.append(Fact("Expires", "not while a call or a stream is open"))
    if session.is_live and session.kind is not SessionKind.CLIENT:
        limits = f"idle {spell(session.idle_seconds)}, lifetime {spell(session.lifetime_seconds)}"
        facts.append(Fact("Limits", limits))
    return facts


def _numbers(
    session: Session,
    urls: Urls,
    now: float,
    latency: tuple[float | None, float | None],
    last_error_at: float | None,
    calls: Sequence[InFlight],
    keys: Sequence[StoredKey],
    max_streams: int,
    max_key_bytes: int,
) -> list[Number]:
    is_client = session.kind is SessionKind.CLIENT
    events, streams, stored_keys = (
        urls.record(session.id, tab, is_client=is_client) for tab in ("events", "streams", "keys")
    )
    minutes = max(1.0, ((session.ended_at or now) - session.created_at) / 60)
    p50, p95 = latency
    oldest = f"oldest {duration(now - min(call.started_at for call in calls))}" if calls else "none waiting"
    stored = sum(key.size_bytes for key in keys)
    errors = urls.record(session.id, "events", is_client=is_client, errors=True)
    return [
        Number(
            "Requests",
            count(session.request_count),
            f"{rate(session.request_count / minutes)}/min",
            events,
            not session.request_count,
        ),
        Number(
            "Errors",
            count(session.error_count),
            share(session.error_count, session.request_count),
            errors,
            not session.error_count,
            "bad" if session.error_count else "",
            note_at=last_error_at,
        ),
        Number("In flight", count(session.in_flight), oldest, f"{streams}#calls", not session.in_flight),
        Number(
            "Latency p50",
            duration(p50 / 1000) if p50 is not None else "none",
            f"p95 {duration(p95 / 1000)}" if p95 is not None else "no answers yet",
            events,
            p50 is None,
        ),
        Number(
            "Open streams",
            count(session.open_streams),
            f"of {count(max_streams)} allowed" + (" to one sender" if is_client else ""),
            streams,
            not session.open_streams,
        ),
        Number(
            "Stored keys",
            count(session.key_count),
            "kept by its handles" if is_client else f"{size(stored)} of {size(max_key_bytes)}",
            stored_keys,
            not session.key_count,
        ),
    ]


def _end_note(session: Session) -> str:
    """Return how the session ended, in one sentence, or `""` while it lives."""
    if session.is_live:
        return ""
    after = age((session.ended_at or session.last_activity_at) - session.created_at)
    by = f" by {session.end_by}" if session.end_by else ""
    because = f": {session.end_reason}" if session.end_reason else f" ({session.end_code})" if session.end_code else ""
    return f"{STATUS_LABELS.get(session.status, session.status)}{by} after {after}{because}"


def make_tabs(session: Session, urls: Urls, current: str, *, resources: int = 0, audit: int | None = None) -> Tabs:
    """Return the tabs with their counts."""
    counts: dict[str, int | None] = {
        "events": session.event_count,
        "keys": session.key_count,
        "streams": session.open_streams + session.in_flight,
        "resources": resources,
        "errors": session.error_count,
        "audit": audit,
    }
    labels = {tab: "Streams and calls" if tab == "streams" else tab.capitalize() for tab in TABS}
    return Tabs(tuple(Tab(labels[tab], urls.session(session.id, tab), counts.get(tab), tab == current) for tab in TABS))
