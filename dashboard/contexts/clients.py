"""Clients of the 2026-07-28 era, which open no session: the list, and the page of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ...server.models import Session
from ..charts.bars import Bars, draw_bars
from ..formatting import share
from .detail import Summary
from .log import Log
from .possible import why_sessionless
from .sessions import client_hue, client_letter, client_name
from .shell import LiveLink
from .streams import StreamList


@dataclass(frozen=True, slots=True)
class ClientRow:
    """One row of the list; the page and the stream render it from the same file."""

    template: ClassVar[str] = "clients/_row.html"
    name: ClassVar[str] = "caller"
    id: str
    client: str
    version: str
    letter: str
    hue: int
    principal: str
    address: str
    bars: Bars
    requests: int
    errors: int
    error_share: str
    in_flight: int
    streams: int
    handles: int
    """How many live sessions it keeps under handles."""
    handles_url: str
    seen_at: float
    why: str
    """Why it has no session."""


@dataclass(frozen=True, slots=True)
class ClientsPage:
    """The list."""

    template: ClassVar[str] = "clients/index.html"
    name: ClassVar[str] = "roster"
    live_link: LiveLink
    rows: tuple[ClientRow, ...]
    handles_url: str
    has_stateless: bool
    """Whether a client of the handshake era is among them, whose server runs with `--stateless`."""


@dataclass(frozen=True, slots=True)
class ClientPage:
    """One client."""

    template: ClassVar[str] = "clients/show.html"
    name: ClassVar[str] = "guest"
    live_link: LiveLink
    id: str
    can_act: bool
    client: str
    version: str
    letter: str
    hue: int
    is_identified: bool
    is_modern: bool
    handles_url: str
    summary: Summary
    opened: StreamList
    log: Log


def make_client_row(session: Session, handles: int, handles_url: str) -> ClientRow:
    """Return the row of a client.

    Args:
        handles: How many live handles it holds.
        handles_url: Where they are listed.
    """
    client = client_name(session)
    return ClientRow(
        id=session.id,
        client=client,
        version=session.client_version,
        letter=client_letter(client),
        hue=client_hue(client),
        principal=session.principal or "",
        address=session.address,
        bars=draw_bars(session.recent),
        requests=session.request_count,
        errors=session.error_count,
        error_share=share(session.error_count, session.request_count),
        in_flight=session.in_flight,
        streams=session.open_streams,
        handles=handles,
        handles_url=handles_url,
        seen_at=session.last_activity_at,
        why=why_sessionless(session),
    )


def make_clients(
    rows: Iterable[ClientRow], live_link: LiveLink, handles_url: str, *, has_stateless: bool
) -> ClientsPage:
    """Return the list in the order given."""
    return ClientsPage(live_link, tuple(rows), handles_url, has_stateless)
