"""An event log: its rows, its filter, and the inspector beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, cast

from ...server.models import STANDALONE_STREAM, Direction, Event, EventKind, InFlight
from ..formatting import duration, size
from ..highlight import Rendered, render_json
from ..jsontext import object_of
from ..urls import Urls

_ANSWERS: Final = frozenset({EventKind.RESPONSE, EventKind.ERROR})
_PARSED_UP_TO: Final = 32 * 1024
"""Bytes of a request that is parsed for its row in the log."""
_KIND_LABELS: Final[Mapping[str, str]] = {
    "request": "Requests",
    "response": "Responses",
    "error": "Errors",
    "notification": "Notifications",
    "lifecycle": "Lifecycle",
    "stream": "Streams",
    "key": "Stored keys",
    "operator": "Operator actions",
}
_DIRECTION_LABELS: Final[Mapping[str, str]] = {
    "from_client": "From client",
    "from_server": "From server",
    "local": "Local",
}


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the log; the page and the stream render it from the same file."""

    template: ClassVar[str] = "events/_entry.html"
    name: ClassVar[str] = "event"
    seq: int
    at: float
    url: str
    direction: str
    kind: str
    method: str
    target: str
    """Tool, prompt or resource of a request, also on its answer when the request is listed too."""
    request_id: str
    took: str
    is_open: bool
    size: str
    is_error: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select."""

    name: ClassVar[str] = "choice"
    value: str
    label: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Inspector:
    """One event with its payload."""

    template: ClassVar[str] = "events/_inspector.html"
    name: ClassVar[str] = "inspected"
    seq: int
    verdict: str
    """What an answer came to, for example `timed out after 5.0 s`; empty for the rest."""
    at: float
    answers_url: str
    answers: str
    stream: str
    replay_url: str
    raw_url: str
    size: str
    json: Rendered
    is_missing: bool
    """Whether the log keeps no payload of this event."""


@dataclass(frozen=True, slots=True)
class Log:
    """The log's table with its filter."""

    template: ClassVar[str] = "events/_log.html"
    name: ClassVar[str] = "log"
    action: str
    """Address the filter form is sent to."""
    rows: tuple[EventRow, ...]
    kinds: tuple[Choice, ...]
    directions: tuple[Choice, ...]
    method: str
    methods: tuple[str, ...]
    errors_only: bool
    is_filtered: bool
    is_following: bool
    keep: int
    """Rows the page keeps while it follows."""
    dropped: int
    newest_url: str
    older_url: str
    clear_url: str
    inspected: Inspector | None


def make_choices(current: str, *, kinds: bool) -> tuple[Choice, ...]:
    """Return the options of the kind or the direction select."""
    labels = _KIND_LABELS if kinds else _DIRECTION_LABELS
    first = Choice("", "All kinds" if kinds else "Both directions", not current)
    return (first, *(Choice(value, label, value == current) for value, label in labels.items()))


def make_rows(
    events: Iterable[Event],
    *,
    calls: Sequence[InFlight],
    address: Callable[[int], str],
    chosen: int | None = None,
    known: Iterable[Event] = (),
) -> tuple[EventRow, ...]:
    """Return log rows in the order given; `address` turns an event's number into the page that shows it.

    A request takes its time from its answer in `events` or `known`.
    """
    listed = list(events)
    answers = {e.related_seq: e for e in (*listed, *known) if e.kind in _ANSWERS and e.related_seq is not None}
    open_calls = {call.seq for call in calls}
    targets = {event.seq: _target(event) for event in (*listed, *known)}
    rows: list[EventRow] = []
    for event in listed:
        answer = event if event.kind in _ANSWERS else answers.get(event.seq)
        took = answer.duration_us if answer is not None else None
        is_error = answer is not None and answer.error_code is not None
        rows.append(
            EventRow(
                seq=event.seq,
                at=event.at,
                url=address(event.seq),
                direction=event.direction.value,
                kind=event.kind.value,
                method=_method(event),
                target=targets[event.seq] or targets.get(event.related_seq or 0, ""),
                request_id=plain_id(event.request_id),
                took=duration(took / 1e6) if took is not None else "",
                is_open=event.seq in open_calls,
                size=size(event.size_bytes) if event.size_bytes else "",
                is_error=is_error,
                is_chosen=event.seq == chosen,
            )
        )
    return tuple(rows)


def plain_id(request_id: str | None) -> str:
    """Return a JSON-RPC id for people: `5` and `"s-41"` as they are, without the quotes of a string."""
    return (request_id or "").strip('"')


def _target(event: Event) -> str:
    """Return what a request names; a large one is not parsed for its row."""
    if event.kind is EventKind.KEY:
        return str(object_of(event.payload).get("key", ""))
    if event.kind is not EventKind.REQUEST or event.size_bytes > _PARSED_UP_TO:
        return ""
    params = object_of(event.payload).get("params")
    named = cast("dict[str, object]", params) if isinstance(params, dict) else {}
    return str(named.get("name") or named.get("uri") or "")


def _method(event: Event) -> str:
    method = event.method or ""
    if event.kind is EventKind.STREAM:
        return f"stream {method}"
    if event.kind is EventKind.LIFECYCLE:
        return f"state {method}".strip()
    return f"key {method}" if event.kind is EventKind.KEY else method


def make_inspector(
    event: Event, urls: Urls, session_id: str, address: Callable[[int], str], *, can_replay: bool
) -> Inspector:
    """Return the inspector of an event."""
    related = event.related_seq
    label = ""
    if related is not None:
        again = event.kind is EventKind.NOTIFICATION
        label = (
            f"replay of event {related}"
            if again
            else f"event {related}, {event.method or ''} {plain_id(event.request_id)}".strip()
        )
    replayable = event.kind is EventKind.NOTIFICATION and event.direction is Direction.FROM_SERVER
    return Inspector(
        seq=event.seq,
        verdict=_verdict(event),
        at=event.at,
        answers_url=address(related) if related is not None else "",
        answers=label,
        stream=_stream(event),
        replay_url=urls.replays(session_id, seq=event.seq) if can_replay and replayable else "",
        raw_url=urls.payload(session_id, event.seq),
        size=size(event.size_bytes),
        json=render_json(event.payload),
        is_missing=event.payload is None,
    )


def _verdict(event: Event) -> str:
    if event.kind not in _ANSWERS or event.error_code is None:
        return ""
    took = f" after {duration(event.duration_us / 1e6)}" if event.duration_us is not None else ""
    return f"tool error{took}" if event.error_code == 0 else f"error {event.error_code}{took}"


def _stream(event: Event) -> str:
    if event.stream is None:
        return "none, recorded here" if event.direction is Direction.LOCAL else "request body"
    if event.stream == STANDALONE_STREAM:
        return "standalone GET stream"
    return f"answer stream of event {event.stream}"


def methods_in(events: Iterable[Event], current: str) -> tuple[str, ...]:
    """Return the methods of these events, for the suggestions of the method field."""
    found = {event.method for event in events if event.method and event.direction is not Direction.LOCAL}
    return tuple(sorted(found | ({current} if current else set())))


def payload_text(event: Event) -> str:
    """Return an event's payload, indented when it is JSON."""
    try:
        return json.dumps(json.loads(event.payload or ""), indent=2, ensure_ascii=True)
    except (ValueError, RecursionError):
        return event.payload or ""
