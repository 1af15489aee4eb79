"""One page of a log and the event chosen in it, read from the directory: the page and its stream show the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..server.directory import Directory
from ..server.errors import NotFound
from ..server.models import ANSWERS, STANDALONE_STREAM, Event, EventKind, Session, SessionKind
from ..server.operations.replays import why_not_again
from ..server.store.base import EventQuery
from .contexts.inspector import Addresses, Around, Inspector, make_inspector
from .contexts.log import (
    EventRow,
    Log,
    make_choices,
    make_rows,
    make_spans,
    methods_in,
    time_label,
)
from .contexts.possible import why_no_replay
from .formatting import count
from .queries import EVENTS_SHOWN, LogQuery
from .urls import QueryValue, Urls


class Place(NamedTuple):
    """Whose log is shown and at which address."""

    session: Session
    address: Callable[..., str]
    """Turns query values into the page's address."""
    region: str = "session"
    """Id of the element that a new filter replaces."""
    kept: tuple[tuple[str, str], ...] = ()
    """Query values of the page beside the log's own."""

    @property
    def id(self) -> str:
        return self.session.id


async def log_panel(directory: Directory, urls: Urls, place: Place, query: LogQuery, *, can_act: bool) -> Log:
    """Return one page of the log, newest first, with the chosen event beside it."""
    page = await directory.events(place.id, query.events())
    kept = query.values()
    oldest = page.events[-1].seq if page.events else None
    look = tuple((name.rstrip("_"), str(value)) for name, value in query.look.values().items() if value)
    stream = () if query.stream is None else (("stream", str(query.stream)),)
    is_far = query.sel is not None and all(event.seq != query.sel for event in page.events)
    return Log(
        action=place.address(),
        rows=log_rows(directory, place, query, page.events),
        kinds=make_choices(query.kind, kinds=True),
        directions=make_choices(query.direction, kinds=False),
        spans=make_spans(query.times.within),
        time_label=time_label(query.times.within, query.times.since, query.times.until),
        method=query.method,
        methods=methods_in(page.events, query.method),
        since=query.times.since,
        until=query.times.until,
        errors_only=query.errors,
        kept=place.kept + look + stream,
        narrowed=_narrowed(query.stream),
        widen_url=place.address(**{**kept, "stream": None}),
        is_filtered=query.is_filtered,
        is_following=query.before is None and not query.times.until and place.session.is_live,
        keep=EVENTS_SHOWN,
        region=place.region,
        dropped=page.dropped if page.events or not query.is_filtered else 0,
        missing=0 if query.is_filtered or query.stream is not None else _missing(page.events),
        newest_url=place.address(**kept) if query.before is not None else "",
        older_url=place.address(**kept, before=oldest) if page.has_more else "",
        oldest_base=place.address(**kept),
        clear_url=place.address(),
        place_url=place.address(before=query.sel + EVENTS_SHOWN // 2, sel=query.sel) if is_far and query.sel else "",
        play_url=_play_url(urls, place, query, None),
        error=query.times.error,
        inspected=await inspector(directory, urls, place, query, can_act=can_act),
    )


def _missing(events: list[Event]) -> int:
    """Return how many numbers lie between events that are listed without a filter, newest first."""
    return events[0].seq - events[-1].seq + 1 - len(events) if events else 0


def log_rows(
    directory: Directory, place: Place, query: LogQuery, events: list[Event], *, known: list[Event] | None = None
) -> tuple[EventRow, ...]:
    """Return rows for these events, in their order."""
    return make_rows(
        events,
        calls=directory.in_flight(place.id),
        address=_sel_address(place, query),
        chosen=query.sel,
        known=known or (),
    )


async def inspector(
    directory: Directory, urls: Urls, place: Place, query: LogQuery, *, can_act: bool, slot: str = "inspector"
) -> Inspector | None:
    """Return the chosen event, or `None` when none is, or the log does not keep it any more."""
    if query.sel is None:
        return None
    try:
        event = await directory.event(place.id, query.sel)
    except NotFound:
        return None
    request, answer = await _relatives(directory, place.id, event)
    why_not = why_not_replayable(place.session, event)
    around = Around(request, answer, why_not, can_act and not why_no_replay(place.session))
    addresses = _addresses(urls, place, query, event.seq, slot)
    return make_inspector(event, urls, place.id, addresses, around, raw=query.look.raw, wrap=query.look.wrap)


def _addresses(urls: Urls, place: Place, query: LogQuery, seq: int, slot: str) -> Addresses:
    here: dict[str, QueryValue] = {**query.kept, "sel": seq}

    def stream(number: int) -> str:
        return place.address(stream=number, sel=seq)

    def look(raw: bool, wrap: bool) -> str:
        return place.address(**{**here, "as_": "raw" if raw else "", "wrap": "" if wrap else "0"})

    def play(at: int) -> str:
        return _play_url(urls, place, query, at)

    can_play = slot == "inspector" and bool(_play_url(urls, place, query, None))
    return Addresses(_sel_address(place, query), stream, look, play if can_play else None, slot)


def why_not_replayable(session: Session, event: Event) -> str:
    """Return why an event cannot be sent to its client again, or `""`."""
    if session.kind is SessionKind.CLIENT:
        return "Without a session there is no stream that could carry it again."
    if why_no := why_no_replay(session):
        return why_no
    why = why_not_again(event)
    return f"{why[0].upper()}{why[1:]}." if why is not None else ""


async def _relatives(directory: Directory, session_id: str, event: Event) -> tuple[Event | None, Event | None]:
    """Return the request of an answer, and the answer of a request, as far as the log keeps them."""
    if event.kind in ANSWERS and event.related_seq is not None:
        try:
            return await directory.event(session_id, event.related_seq), None
        except NotFound:
            return None, None
    if event.kind is not EventKind.REQUEST:
        return None, None
    query = EventQuery(after=event.seq, request_id=event.request_id, kinds=ANSWERS, limit=20, payload_up_to=0)
    answers: Sequence[Event] = (await directory.events(session_id, query)).events
    return None, next((answer for answer in answers if answer.related_seq == event.seq), None)


def _sel_address(place: Place, query: LogQuery) -> Callable[[int], str]:
    kept: dict[str, QueryValue] = {**query.values(), "before": query.before, **query.look.values()}
    return lambda seq: place.address(**kept, sel=seq)


def _play_url(urls: Urls, place: Place, query: LogQuery, seq: int | None) -> str:
    """Return where the log is played from an event on, by default from its beginning."""
    if place.session.kind is SessionKind.CLIENT or not place.session.event_count:
        return ""
    at = seq if seq is not None else place.session.trimmed_seq + 1
    return urls.session(place.id, "events", play="step", at=at, **query.values())


def _narrowed(stream: int | None) -> str:
    if stream is None:
        return ""
    return "the standalone stream" if stream == STANDALONE_STREAM else f"the stream of event {count(stream)}"
