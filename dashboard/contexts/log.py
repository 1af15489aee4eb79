"""An event log: its rows and its filter."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, cast

from ...server.models import ANSWERS, Direction, Event, EventKind, InFlight
from ..formatting import duration, size
from ..jsontext import object_of

if TYPE_CHECKING:
    from .inspector import Inspector  # which names requests as the log's rows do

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
_LIFECYCLE: Final[Mapping[str, str]] = {"set_timeouts": "limits changed by a tool"}
"""Lines of a session's life that are no change of its state."""
_OPERATOR: Final[Mapping[str, str]] = {"set_timeouts": "limits changed"}
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
class Log:
    """The log's table with its filter."""

    template: ClassVar[str] = "events/_log.html"
    name: ClassVar[str] = "log"
    action: str
    """Address the filter form is sent to."""
    rows: tuple[EventRow, ...]
    kinds: tuple[Choice, ...]
    directions: tuple[Choice, ...]
    spans: tuple[Choice, ...]
    time_label: str
    """Between which times, in words; empty for any."""
    method: str
    methods: tuple[str, ...]
    since: str
    until: str
    errors_only: bool
    kept: tuple[tuple[str, str], ...]
    """Query values of the page that its filter keeps."""
    narrowed: str
    """To which stream the log is narrowed, in words; empty when to none."""
    widen_url: str
    is_filtered: bool
    is_following: bool
    keep: int
    """Rows the page keeps while it follows."""
    region: str
    """Id of the element that a new filter replaces."""
    dropped: int
    missing: int
    """Events between the rows that were dropped with their streams; 0 where a filter leaves events out."""
    newest_url: str
    older_url: str
    oldest_base: str
    """Address of an older page, to which the script adds `before` as rows leave the page at its end."""
    clear_url: str
    place_url: str
    """Where the chosen event stands among its neighbours, when that is not on this page."""
    play_url: str
    """The log step by step; empty where it cannot be played."""
    error: str
    """What cannot be read in the filter; the log is then not restricted by it."""
    inspected: Inspector | None


_SPAN_LABELS: Final = {"": "Any time", "5m": "Last 5 min", "15m": "Last 15 min", "1h": "Last hour", "24h": "Last 24 h"}


def make_spans(current: str) -> tuple[Choice, ...]:
    """Return the options of the time select."""
    return tuple(Choice(value, label, value == current) for value, label in _SPAN_LABELS.items())


def time_label(within: str, since: str, until: str) -> str:
    """Return the time a log is restricted to, in a few words; empty for any."""
    last = _SPAN_LABELS[within] if within else ""
    if not (since or until):
        return last
    clock = f"{since[-8:] or 'the beginning'} to {until[-8:] or 'now'}"
    return f"{last}, {clock}" if last else clock


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
    answers = {e.related_seq: e for e in (*listed, *known) if e.kind in ANSWERS and e.related_seq is not None}
    open_calls = {call.seq for call in calls}
    targets = {event.seq: target_of(event) for event in (*listed, *known)}
    rows: list[EventRow] = []
    for event in listed:
        answer = event if event.kind in ANSWERS else answers.get(event.seq)
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


def target_of(event: Event | None) -> str:
    """Return what a request names; a large one is not parsed for it."""
    if event is None:
        return ""
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
        return _LIFECYCLE.get(method, f"state {method}".strip())
    if event.kind is EventKind.OPERATOR:
        return _OPERATOR.get(method, method)
    return f"key {method}" if event.kind is EventKind.KEY else method


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
