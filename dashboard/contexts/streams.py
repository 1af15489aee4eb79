"""What a session has open right now: streams, and calls that are not answered yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ...server.models import STANDALONE_STREAM, InFlight, Session, StreamInfo
from ..urls import Urls
from .log import plain_id
from .possible import why_not_closable


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One open stream."""

    name: ClassVar[str] = "stream"
    label: str
    method: str
    opened_at: float
    sent: int
    last_write_at: float | None
    resumed: str
    close_url: str
    """Empty where it cannot be closed, or the viewer may not act."""
    why_not_closable: str
    """Why nobody can close it by itself; empty when it can be."""


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call in flight."""

    name: ClassVar[str] = "call"
    request_id: str
    method: str
    target: str
    started_at: float
    progress: str
    state: str
    event_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class StreamList:
    """The tab; the stream replaces it as a whole."""

    template: ClassVar[str] = "sessions/_streams.html"
    name: ClassVar[str] = "opened"
    streams: tuple[StreamRow, ...]
    calls: tuple[CallRow, ...]
    era_note: str


_LABELS = {
    "get": "GET, standalone",
    "post": "POST, one request's",
    "listen": "subscriptions/listen",
    "sse": "HTTP+SSE",
    "stdio": "stdio",
}


def stream_label(stream: StreamInfo) -> str:
    """Return what a stream is called: a GET may also resume a request's own one."""
    is_resumed_post = stream.kind == "get" and stream.stream != STANDALONE_STREAM
    return f"GET, request {stream.stream}'s" if is_resumed_post else _LABELS.get(stream.kind, stream.kind)


def make_streams(
    streams: Iterable[StreamInfo],
    calls: Iterable[InFlight],
    urls: Urls,
    session: Session,
    *,
    can_act: bool,
    era_note: str,
) -> StreamList:
    """Return the tab."""
    rows = tuple(_stream(stream, urls, session, can_act) for stream in streams)
    return StreamList(rows, tuple(_call(call, urls, session.id, can_act) for call in calls), era_note)


def _stream(stream: StreamInfo, urls: Urls, session: Session, can_act: bool) -> StreamRow:
    why_not = why_not_closable(session, stream)
    return StreamRow(
        label=stream_label(stream),
        method=stream.method or "",
        opened_at=stream.opened_at,
        sent=stream.sent,
        last_write_at=stream.last_write_at,
        resumed="" if stream.resumed_from is None else f"from event {stream.resumed_from}",
        close_url=urls.stream_closing(session.id, stream.stream) if can_act and not why_not else "",
        why_not_closable=why_not,
    )


def call_progress(call: InFlight) -> str:
    """Return how far a call is, in the numbers it reported; empty when it reported none."""
    if call.progress is None:
        return ""
    return f"{call.progress:g} of {call.total:g}" if call.total is not None else f"{call.progress:g}"


def call_state(call: InFlight) -> str:
    """Return what a call in flight waits for."""
    if call.cancelled:
        return "cancelled, waiting for the handler"
    return "waiting for the client" if call.waiting_for_client else "running"


def _call(call: InFlight, urls: Urls, session_id: str, can_act: bool) -> CallRow:
    return CallRow(
        request_id=plain_id(call.request_id),
        method=call.method,
        target=call.target or "",
        started_at=call.started_at,
        progress=call_progress(call),
        state=call_state(call),
        event_url=urls.session(session_id, "events", sel=call.seq),
        cancel_url=urls.cancellations(session_id, call.request_id) if can_act and not call.cancelled else "",
    )
