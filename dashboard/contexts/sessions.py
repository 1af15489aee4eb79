"""The sessions list: rows, the strip of states, column heads, the pill of new matches."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.filters import Filter
from ...server.models import Session, SessionKind
from ..charts.bars import Bars, draw_bars
from ..charts.shares import Segment, divide
from ..formatting import count, share
from ..wording import TRANSPORTS
from .columns import USUAL, Chooser, Column
from .filterbar import FilterBar
from .paging import Option, Pager
from .shell import LiveLink
from .views import SavedViews

STATUS_LABELS: Final[Mapping[str, str]] = {
    "active": "Active",
    "idle": "Idle",
    "initializing": "Initializing",
    "not_initialized": "Not initialized",
    "detached": "Detached",
    "expired": "Expired",
    "closed": "Closed",
    "rejected": "Rejected",
}
LIVE_STATUSES: Final = ("active", "idle", "initializing", "not_initialized", "detached")
_SHOWN_WHEN_PRESENT: Final = frozenset({"detached", "rejected"})
_HUES: Final = 8


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One row; the page and the stream render it from the same file."""

    template: ClassVar[str] = "sessions/_row.html"
    name: ClassVar[str] = "row"
    id: str
    status: str
    status_label: str
    is_ended: bool
    client: str
    version: str
    letter: str
    hue: int
    protocol: str
    principal: str
    bars: Bars
    requests: int
    errors: int
    error_share: str
    in_flight: int
    streams: int
    keys: int
    seen_at: float
    transport: str
    server: str
    worker: str
    address: str
    events: int
    opened_at: float
    expires_at: float | None
    shown: frozenset[str]
    """The columns."""
    can_act: bool
    verbs: str
    """What an operator may do to it now, by first letter: expire, broadcast, cancel calls."""


@dataclass(frozen=True, slots=True)
class Facet:
    """One state with its count, and the address of the list restricted to it."""

    name: ClassVar[str] = "facet"
    status: str
    label: str
    count: int
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class FacetStrip:
    """The proportion bar and the states below it."""

    template: ClassVar[str] = "sessions/_facets.html"
    name: ClassVar[str] = "facets"
    items: tuple[Facet, ...]
    segments: tuple[Segment, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Pending:
    """How many sessions that match have appeared since the page was rendered."""

    template: ClassVar[str] = "sessions/_pending.html"
    name: ClassVar[str] = "pending"
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """The whole page."""

    template: ClassVar[str] = "sessions/index.html"
    name: ClassVar[str] = "listing"
    q: str
    live: int
    kept: int
    kept_for: str
    can_act: bool
    facets: FacetStrip
    bar: FilterBar
    live_link: LiveLink
    rows: tuple[SessionRow, ...]
    columns: tuple[Column, ...]
    chooser: Chooser
    is_compact: bool
    saved: SavedViews
    pending: Pending
    pager: Pager
    endpoint: str
    exports: tuple[Option, ...]


def client_hue(client: str) -> int:
    """Return the fixed hue of a client name, 0 to 7."""
    return (zlib.crc32(client.encode("utf-8", "replace")) >> 8) % _HUES


def client_letter(client: str) -> str:
    """Return the letter of the monogram."""
    return next((letter for letter in client if letter.isalnum()), "?")


def client_name(session: Session) -> str:
    """Return the client's own name for itself, or what stands in for it."""
    return session.client_name or ("handle" if session.kind is SessionKind.HANDLE else "unnamed client")


def make_row(session: Session, *, can_act: bool, shown: frozenset[str] = USUAL) -> SessionRow:
    """Return the row of a session."""
    client = client_name(session)
    return SessionRow(
        id=session.id,
        status=session.status,
        status_label=STATUS_LABELS.get(session.status, session.status),
        is_ended=not session.is_live,
        client=client,
        version=session.client_version,
        letter=client_letter(client),
        hue=client_hue(client),
        protocol=session.protocol_version,
        principal=session.principal or "",
        bars=draw_bars(session.recent),
        requests=session.request_count,
        errors=session.error_count,
        error_share=share(session.error_count, session.request_count),
        in_flight=session.in_flight,
        streams=session.open_streams,
        keys=session.key_count,
        seen_at=session.last_activity_at,
        transport=TRANSPORTS[session.kind],
        server=session.server,
        worker=session.worker_id,
        address=session.address,
        events=session.event_count,
        opened_at=session.created_at,
        expires_at=session.expires_at if session.is_live else None,
        shown=shown,
        can_act=can_act,
        verbs=_verbs(session),
    )


def _verbs(session: Session) -> str:
    if not session.is_live:
        return ""
    return "ebc" if session.in_flight else "eb"


def make_facets(
    counts: Mapping[str, int], query: Filter, address: Callable[[str], str], *, is_filter: bool = True
) -> FacetStrip:
    """Return the strip; a facet's address replaces the filter's state terms and keeps the others.

    Args:
        is_filter: Whether the strip filters the list below it, so that one facet is the current one.
    """
    rest = query.without("state")
    state_terms = [term.text for term in query.terms if term.key == "state"]
    items = [Facet("all", "All states", sum(counts.values()), address(rest.text), is_filter and not state_terms)]
    for status, label in STATUS_LABELS.items():
        number = counts.get(status, 0)
        term = f"state:{status}"
        if number or status not in _SHOWN_WHEN_PRESENT or term in state_terms:
            url = address(f"{term} {rest.text}".strip())
            items.append(Facet(status, label, number, url, state_terms == [term]))
    ordered = {status: counts.get(status, 0) for status in STATUS_LABELS}
    sentence = ", ".join(
        f"{count(number)} {STATUS_LABELS[status].lower()}" for status, number in ordered.items() if number
    )
    return FacetStrip(tuple(items), divide(ordered), sentence or "no sessions")


def live_count(counts: Mapping[str, int]) -> int:
    """Return how many of the counted sessions a client may still use."""
    return sum(counts.get(status, 0) for status in LIVE_STATUSES)


def make_rows(sessions: Iterable[Session], *, can_act: bool, shown: frozenset[str] = USUAL) -> tuple[SessionRow, ...]:
    """Return the rows of a page in the order given."""
    return tuple(make_row(session, can_act=can_act, shown=shown) for session in sessions)
