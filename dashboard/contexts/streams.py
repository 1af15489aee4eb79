"""What a session has open right now: streams with how their writes go, and calls that are not answered yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from ...server.models import LISTEN, STANDALONE_STREAM, Event, InFlight, Session, SessionKind, StreamInfo
from ..formatting import age, count, duration
from ..jsontext import object_of
from ..urls import Urls
from .log import plain_id
from .possible import why_not_closable

_PATIENCE: Final = 2.0
"""Seconds that a write may wait before its stream is marked: a slow network takes no longer."""
_ENDED_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One open stream."""

    name: ClassVar[str] = "stream"
    label: str
    carries: str
    """The method that it answers, or what a listen stream asked to be told of."""
    opened_at: float
    sent: int
    queued: str
    """Events that wait to be written; `-` where that is not known."""
    write_errors: int
    last_write_at: float | None
    written_at: float | None
    """`None` where the SDK writes the stream and tells nothing of it."""
    resumed: str
    trouble: str
    """Why the stream looks alive and is not; empty when its writes go through."""
    close_url: str
    """Empty where it cannot be closed, or the viewer may not act."""
    why_not_closable: str
    """Why nobody can close it by itself; empty when it can be."""


@dataclass(frozen=True, slots=True)
class EndedStream:
    """A connection that has ended."""

    name: ClassVar[str] = "past_stream"
    label: str
    ended_at: float
    lasted: str
    sent: str
    why: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call in flight."""

    name: ClassVar[str] = "call"
    request_id: str
    method: str
    target: str
    started_at: float
    is_hung: bool
    progress: str
    share: float | None
    """Per cent done; `None` where the call has not told its total."""
    state: str
    waits_for_client: bool
    event_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class StreamList:
    """The tab; the stream replaces it as a whole."""

    template: ClassVar[str] = "sessions/_streams.html"
    name: ClassVar[str] = "opened"
    streams: tuple[StreamRow, ...]
    ended: tuple[EndedStream, ...]
    cut: str
    """What ends streams from outside at one age, in a sentence; empty when nothing does."""
    calls: tuple[CallRow, ...]
    era_note: str


class Openings(NamedTuple):
    """What the log tells of a session's connections."""

    gaps: Mapping[int, float]
    """Seconds that a stream was not carried before its present connection, by stream."""
    ended: tuple[EndedStream, ...]
    """The last ones first."""


_WHY: Final = {
    "client": "its client left",
    "server": "ended here",
    "slow": "cut: its client did not read",
    "error": "a write failed",
}


def read_openings(events: Sequence[Event]) -> Openings:
    """Return what stream events, in order of `seq`, tell of the connections of a session."""
    opened: dict[int, float] = {}
    closed: dict[int, float] = {}
    gaps: dict[int, float] = {}
    ended: list[EndedStream] = []
    for event in events:
        detail = object_of(event.payload)
        stream = detail.get("stream")
        if not isinstance(stream, int):
            continue
        if event.method != "closed":
            if stream in closed:
                gaps[stream] = event.at - closed[stream]
            opened[stream] = event.at
            continue
        begun = opened.pop(stream, None)
        closed[stream] = event.at
        why, sent = str(detail.get("why", "")), detail.get("sent")
        label = "GET, standalone" if stream == STANDALONE_STREAM else f"answer of event {stream}"
        ended.append(
            EndedStream(
                label,
                event.at,
                age(event.at - begun) if begun is not None else "-",
                count(sent) if isinstance(sent, int) else "-",
                _WHY.get(why, "not recorded"),
                why in ("slow", "error"),
            )
        )
    return Openings(gaps, tuple(ended[::-1][:_ENDED_SHOWN]))


_LABELS = {
    "get": "GET, standalone",
    "post": "POST, one request's",
    "listen": LISTEN,
    "sse": "HTTP+SSE",
    "stdio": "stdio",
}


def stream_label(stream: StreamInfo) -> str:
    """Return what a stream is called: a GET may also resume a request's own one."""
    is_resumed_post = stream.kind == "get" and stream.stream != STANDALONE_STREAM
    return f"GET, request {stream.stream}'s" if is_resumed_post else _LABELS.get(stream.kind, stream.kind)


def stream_trouble(stream: StreamInfo, now: float, send_timeout: float) -> str:
    """Return why a stream looks alive and is not; empty when its writes go through."""
    if stream.blocked_since is not None and now - stream.blocked_since > _PATIENCE:
        waited = duration(now - stream.blocked_since)
        return f"A write waits for {waited}: the client does not read. It is cut after {duration(send_timeout)}."
    if stream.write_errors:
        return "The last write failed."
    return ""


def make_stream_row(
    stream: StreamInfo, urls: Urls, session: Session, *, gap: float | None, trouble: str, can_act: bool
) -> StreamRow:
    """Return the row of an open stream; `gap` is how long nobody carried it before."""
    resumed = "" if stream.resumed_from is None else f"from event {stream.resumed_from}"
    if gap is not None:
        resumed = f"{resumed or 'began anew'}, {duration(gap)} gap"
    why_not, label = why_not_closable(session, stream), stream_label(stream)
    return StreamRow(
        label=label,
        carries=", ".join(stream.asked_for) or (stream.method if stream.method and stream.method != label else ""),
        opened_at=stream.opened_at,
        sent=stream.sent,
        queued=count(stream.queued) if stream.queued is not None else "-",
        write_errors=stream.write_errors,
        last_write_at=stream.last_write_at,
        written_at=stream.written_at,
        resumed=resumed,
        trouble=trouble,
        close_url=urls.stream_closing(session.id, stream.stream) if can_act and not why_not else "",
        why_not_closable=why_not,
    )


def make_calls(
    calls: Iterable[InFlight], urls: Urls, session: Session, *, now: float, hung_after: float, can_act: bool
) -> tuple[CallRow, ...]:
    """Return the rows of calls in flight; those older than `hung_after` seconds are marked."""
    return tuple(
        CallRow(
            request_id=plain_id(call.request_id),
            method=call.method,
            target=call.target or "",
            started_at=call.started_at,
            is_hung=now - call.started_at > hung_after and not call.is_endless,
            progress=call_progress(call),
            share=_share(call),
            state=call_state(call),
            waits_for_client=call.waiting_for_client,
            event_url=urls.record(session.id, "events", is_client=session.kind is SessionKind.CLIENT, sel=call.seq),
            cancel_url=urls.cancellations(session.id, call.request_id) if can_act and not call.cancelled else "",
        )
        for call in calls
    )


def _share(call: InFlight) -> float | None:
    if call.progress is None or not call.total or call.total < 0:
        return None
    return round(max(0.0, min(100.0, 100 * call.progress / call.total)), 1)


def call_progress(call: InFlight) -> str:
    """Return how far a call is, in the numbers it reported; empty when it reported none."""
    if call.progress is None:
        return ""
    return f"{call.progress:g} of {call.total:g}" if call.total is not None else f"{call.progress:g}"


def call_state(call: InFlight) -> str:
    """Return what a call in flight waits for."""
    if call.cancelled:
        return "cancelled, waiting for the handler"
    if call.waiting_for_client:
        return "waiting for the client"
    return "listening" if call.is_endless else "running"
