"""The log of the whole server: rows of all sessions, the filter, the whole page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ...server.models import ServerEvent, SessionKind
from ..urls import TABS, Urls
from .filterbar import FilterBar
from .log import Choice, EventRow, make_rows
from .paging import Option
from .sessions import client_hue, client_letter
from .shell import LiveLink


@dataclass(frozen=True, slots=True)
class ServerEventRow:
    """One line; the page and the stream render it from the same file."""

    template: ClassVar[str] = "events/_server_entry.html"
    name: ClassVar[str] = "logged"
    id: int
    session_id: str
    session_url: str
    client: str
    letter: str
    hue: int
    event: EventRow


@dataclass(frozen=True, slots=True)
class OlderEvents:
    """The way to the page before; the stream moves it on as rows leave the page at its end."""

    template: ClassVar[str] = "events/_older.html"
    name: ClassVar[str] = "older"
    url: str
    is_partial: bool
    """Whether the search stopped before the page was full."""


@dataclass(frozen=True, slots=True)
class ServerLogPage:
    """The whole page."""

    template: ClassVar[str] = "events/index.html"
    name: ClassVar[str] = "stream"
    live_link: LiveLink
    bar: FilterBar
    rows: tuple[ServerEventRow, ...]
    kinds: tuple[Choice, ...]
    directions: tuple[Choice, ...]
    spans: tuple[Choice, ...]
    method: str
    errors_only: bool
    since: str
    until: str
    is_filtered: bool
    is_following: bool
    keep: int
    newest_url: str
    older: OlderEvents
    exports: tuple[Option, ...]


def make_server_rows(events: Iterable[ServerEvent], urls: Urls) -> tuple[ServerEventRow, ...]:
    """Return rows in the order given; each leads to its event in its session's log."""
    return tuple(_row(each, urls) for each in events)


def _row(logged: ServerEvent, urls: Urls) -> ServerEventRow:
    is_client = logged.session_kind is SessionKind.CLIENT
    client = logged.client_name or ("handle" if logged.session_kind is SessionKind.HANDLE else "unnamed client")

    def address(seq: int) -> str:
        return urls.record(logged.session_id, "events", is_client=is_client, sel=seq)

    (row,) = make_rows([logged.event], calls=(), address=address)
    return ServerEventRow(
        id=logged.id,
        session_id=logged.session_id,
        session_url=urls.record(logged.session_id, TABS[0], is_client=is_client),
        client=client,
        letter=client_letter(client),
        hue=client_hue(client),
        event=row,
    )
