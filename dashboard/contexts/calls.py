"""Calls in flight over all sessions of both eras: who, what, for how long, and how far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ...server.directory import FlyingCall
from ...server.models import SessionKind
from ..urls import TABS, Urls
from .log import plain_id
from .sessions import client_hue, client_letter, client_name
from .shell import LiveLink
from .streams import call_progress, call_state


@dataclass(frozen=True, slots=True)
class FlightRow:
    """One call; the page and the stream render it from the same file."""

    template: ClassVar[str] = "calls/_row.html"
    name: ClassVar[str] = "flight"
    key: str
    client: str
    version: str
    letter: str
    hue: int
    session: str
    session_url: str
    protocol: str
    request_id: str
    event_url: str
    method: str
    target: str
    state: str
    progress: str
    started_at: float
    is_hung: bool
    is_over: bool
    cancel_url: str
    """Empty where there is nothing to cancel, or the viewer may not."""


@dataclass(frozen=True, slots=True)
class NewCalls:
    """Calls that began after the page was read."""

    template: ClassVar[str] = "calls/_pending.html"
    name: ClassVar[str] = "pending_calls"
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class CallsPage:
    """The list."""

    template: ClassVar[str] = "calls/index.html"
    name: ClassVar[str] = "flights"
    live_link: LiveLink
    rows: tuple[FlightRow, ...]
    more: int
    """Matching calls beyond the ones shown."""
    pending: NewCalls
    q: str
    error: str
    is_hung_only: bool
    hung_after: str
    """The threshold in words."""


def call_key(flying: FlyingCall) -> str:
    """Return what tells a call from every other: its session's reference and its event's number."""
    return f"{flying.session.id}-{flying.call.seq}"


def make_flight(
    flying: FlyingCall, urls: Urls, *, now: float, hung_seconds: float, can_act: bool, is_over: bool = False
) -> FlightRow:
    """Return the row of a call; `is_over` when it has been answered since the page was read."""
    session, call = flying.session, flying.call
    client, is_client = client_name(session), session.kind is SessionKind.CLIENT
    is_hung = not is_over and not call.is_endless and now - call.started_at > hung_seconds
    return FlightRow(
        key=call_key(flying),
        client=client,
        version=session.client_version,
        letter=client_letter(client),
        hue=client_hue(client),
        session=session.id,
        session_url=urls.record(session.id, TABS[0], is_client=is_client),
        protocol=session.protocol_version,
        request_id=plain_id(call.request_id),
        event_url=urls.record(session.id, "events", is_client=is_client, sel=call.seq),
        method=call.method,
        target=call.target or "",
        state="answered" if is_over else call_state(call),
        progress=call_progress(call),
        started_at=call.started_at,
        is_hung=is_hung,
        is_over=is_over,
        cancel_url=urls.cancellations(session.id, call.request_id)
        if can_act and not call.cancelled and not is_over
        else "",
    )


def make_calls(
    rows: Sequence[FlightRow], live_link: LiveLink, *, more: int, here: str, q: str, error: str, hung: bool, after: str
) -> CallsPage:
    """Return the list in the order given; `here` is its own address."""
    return CallsPage(live_link, tuple(rows), more, NewCalls(0, here), q, error, hung, after)
