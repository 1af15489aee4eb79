"""Event logs: a session's own, and that of the whole server."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, Field

from ...server.directory import read_failure
from ...server.filters import parse_filter
from ...server.models import Direction, Event, EventKind, EventPage, ServerEvent
from ...server.store.base import EventQuery, ServerLogQuery
from ..deps import CurrentSwitchroom
from ..queries import parse_time
from .requests import MAX_SEQ
from .routing import ApiResponse, answer, api_router
from .sessions import SessionPath
from .values import MAX_FILTER_LENGTH, Time, parse_json, parse_request_id, timestamp

router = api_router("events")


class EventErrorOut(BaseModel):
    """What went wrong."""

    code: int | None = Field(description="JSON-RPC error code; null where a tool reported the error in its result.")
    name: str = Field(description="What kind of error it is, stable: `conflict`, `timeout`, `tool_error`, …")
    message: str | None = Field(description="As the client was told; null where the log does not hold it any more.")


class EventOut(BaseModel):
    """One row of a session's log."""

    seq: int
    at: Time
    direction: str
    kind: str
    method: str | None
    request_id: str | int | float | None = Field(description='In its JSON type: `5` and `"5"` are two ids.')
    stream: int | None = Field(
        description="0: the standalone stream; a number: the stream of the request with that seq; null: on no wire."
    )
    size_bytes: int = Field(description="Of the whole message, also when the payload was cut.")
    duration_ms: float | None = Field(description="On an answer: time since its request.")
    error: EventErrorOut | None
    related_seq: int | None = Field(description="An answer names its request, a replayed message its original.")
    payload: Any = Field(description="The message as JSON; null when it is not kept whole.")
    payload_truncated: bool = Field(description="Whether the message was cut in the log.")
    payload_text: str | None = Field(description="What is kept of a cut message, else null.")

    @classmethod
    def of(cls, event: Event) -> EventOut:
        payload, is_whole = parse_json(event.payload)
        return cls(
            seq=event.seq,
            at=timestamp(event.at),
            direction=event.direction.value,
            kind=event.kind.value,
            method=event.method,
            request_id=parse_request_id(event.request_id),
            stream=event.stream,
            size_bytes=event.size_bytes,
            duration_ms=None if event.duration_us is None else event.duration_us / 1000,
            error=_error_of(event),
            related_seq=event.related_seq,
            payload=payload,
            payload_truncated=event.payload is not None and not is_whole,
            payload_text=None if is_whole else event.payload,
        )


class ServerEventOut(EventOut):
    """One row in the log of the whole server."""

    id: int = Field(description="Order of appending over all sessions.")
    session_id: str
    client_name: str | None

    @classmethod
    def of_server(cls, logged: ServerEvent) -> ServerEventOut:
        event = dict(EventOut.of(logged.event))
        return cls(id=logged.id, session_id=logged.session_id, client_name=logged.client_name or None, **event)


class ServerEventsOut(BaseModel):
    """One page of the log of the whole server."""

    items: list[ServerEventOut]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the oldest event.")
    is_partial: bool = Field(description="Whether the search stopped before the page was full; `next_cursor` goes on.")


class EventsOut(BaseModel):
    """A slice of a log, in ascending `seq` unless `order=desc`."""

    items: list[EventOut]
    next_cursor: str | None = Field(
        description="Give it as `after` (with `order=desc` as `before`) to go on; null when nothing more is there now."
    )
    dropped: int = Field(description="Events directly before the first one that retention has dropped.")


_SeqQuery = Annotated[int, Query(ge=0, le=MAX_SEQ)]


@router.get("/sessions/{session_id}/events", response_model=EventsOut)
async def list_events(
    session_id: SessionPath,
    running: CurrentSwitchroom,
    after: Annotated[_SeqQuery, Query(description="Only events with a greater seq.")] = 0,
    before: Annotated[_SeqQuery | None, Query(description="Only events with a smaller seq.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    kind: Annotated[list[EventKind] | None, Query(description="Repeat it for several.")] = None,
    method: Annotated[str | None, Query(max_length=200)] = None,
    direction: Direction | None = None,
    stream: _SeqQuery | None = None,
    errors: Annotated[bool, Query(description="Only errors.")] = False,
    order: Literal["asc", "desc"] = "asc",
) -> ApiResponse:
    """List events; to follow a log, ask again with the last seq as `after`. A page holds at most 8 MiB of payloads."""
    query = EventQuery(
        after=after,
        before=before,
        limit=limit,
        stream=stream,
        kinds=tuple(kind or ()),
        method=method,
        direction=direction,
        errors_only=errors,
        newest_first=order == "desc",
    )
    page = await running.directory.events(session_id, query)
    items = [EventOut.of(event) for event in page.events]
    return answer(EventsOut(items=items, next_cursor=_next_cursor(page), dropped=page.dropped))


@router.get("/events", response_model=ServerEventsOut)
async def list_server_events(
    running: CurrentSwitchroom,
    q: Annotated[str, Query(max_length=MAX_FILTER_LENGTH, description="Only of sessions that match.")] = "",
    cursor: Annotated[int | None, Query(ge=1, le=MAX_SEQ)] = None,
    after: Annotated[_SeqQuery, Query(description="Only events with a greater id.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    kind: Annotated[list[EventKind] | None, Query(description="Repeat it for several.")] = None,
    method: Annotated[str | None, Query(max_length=200)] = None,
    direction: Direction | None = None,
    errors: Annotated[bool, Query(description="Only errors.")] = False,
    since: Annotated[str, Query(alias="from", max_length=60, description="ISO 8601 or Unix seconds.")] = "",
    until: Annotated[str, Query(alias="to", max_length=60, description="The same; not included.")] = "",
) -> ApiResponse:
    """List the events of all sessions and sessionless clients, newest first."""
    query = ServerLogQuery(
        after=after,
        before=cursor,
        limit=limit,
        kinds=tuple(kind or ()),
        method=method,
        direction=direction,
        errors_only=errors,
        since=parse_time(since),
        until=parse_time(until),
        with_payloads=True,
    )
    page = await running.directory.log.page(query, parse_filter(q))
    items = [ServerEventOut.of_server(event) for event in page.events]
    next_cursor = None if page.next_before is None else str(page.next_before)
    return answer(ServerEventsOut(items=items, next_cursor=next_cursor, is_partial=page.is_partial))


@router.get("/sessions/{session_id}/events/{seq}", response_model=EventOut)
async def show_event(
    session_id: SessionPath, seq: Annotated[int, Path(ge=1, le=MAX_SEQ)], running: CurrentSwitchroom
) -> ApiResponse:
    """Return one event."""
    return answer(EventOut.of(await running.directory.event(session_id, seq)))


def _next_cursor(page: EventPage) -> str | None:
    return str(page.events[-1].seq) if page.has_more and page.events else None


def _error_of(event: Event) -> EventErrorOut | None:
    if event.error_code is None and event.kind is not EventKind.ERROR:
        return None
    told = read_failure(event)
    return EventErrorOut(code=event.error_code or None, name=told.code, message=told.message or None)
