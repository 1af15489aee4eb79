"""Event logs: a session's own, and that of the whole server."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query

from ...server.filters import parse_filter
from ...server.models import Direction, EventKind, EventPage
from ...server.store.base import EventQuery, ServerLogQuery
from ..deps import CurrentSwitchroom
from ..queries import parse_time
from .requests import MAX_SEQ
from .routing import ApiResponse, answer, api_router
from .schemas import EventOut, EventsOut, ServerEventOut, ServerEventsOut
from .sessions import SessionPath
from .values import MAX_FILTER_LENGTH

router = api_router("events")

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
