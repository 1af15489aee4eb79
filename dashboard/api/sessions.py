"""Sessions: list, look up, read, and what each holds open."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query

from ...server.filters import parse_filter
from ...server.models import Role
from ..deps import CurrentSwitchroom
from .requests import LookupIn
from .routing import ROLE_KEY, ApiResponse, answer, api_router
from .schemas import ClientsOut, InFlightOut, InFlightsOut, SessionOut, SessionsOut, StreamOut, StreamsOut
from .values import MAX_FILTER_LENGTH

router = api_router("sessions")

SessionPath = Annotated[str, Path(min_length=1, max_length=64, description="The session's public reference.")]

_Column = Literal["last_seen", "created", "requests", "errors", "client", "keys"]
_Sort = _Column | Literal["-last_seen", "-created", "-requests", "-errors", "-client", "-keys"]


@router.get("/sessions", response_model=SessionsOut)
async def list_sessions(
    running: CurrentSwitchroom,
    q: Annotated[str, Query(max_length=MAX_FILTER_LENGTH, description="Filter, as in the console.")] = "",
    sort: _Sort = "-last_seen",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> ApiResponse:
    """List live and ended sessions that match."""
    page = await running.directory.sessions(parse_filter(q), sort=sort, limit=limit, cursor=cursor)
    items = [SessionOut.of(session) for session in page.items]
    return answer(SessionsOut(items=items, next_cursor=page.next_cursor, total=page.total))


@router.post("/sessions/lookup", response_model=SessionOut, openapi_extra={ROLE_KEY: Role.VIEWER.value})
async def look_up_session(body: LookupIn, running: CurrentSwitchroom) -> ApiResponse:
    """Find a session by its `Mcp-Session-Id` or handle, which never appears in an address."""
    return answer(SessionOut.of(await running.directory.lookup(body.mcp_session_id)))


@router.get("/sessions/{session_id}", response_model=SessionOut)
async def show_session(session_id: SessionPath, running: CurrentSwitchroom) -> ApiResponse:
    """Return one session."""
    return answer(SessionOut.of(await running.directory.session(session_id)))


@router.get("/sessions/{session_id}/streams", response_model=StreamsOut)
async def list_streams(session_id: SessionPath, running: CurrentSwitchroom) -> ApiResponse:
    """List the streams that the client holds open now."""
    await running.directory.session(session_id)
    return answer(StreamsOut(items=[StreamOut.of(stream) for stream in running.directory.streams(session_id)]))


@router.get("/sessions/{session_id}/in-flight", response_model=InFlightsOut)
async def list_in_flight(session_id: SessionPath, running: CurrentSwitchroom) -> ApiResponse:
    """List the requests that are not answered yet."""
    await running.directory.session(session_id)
    return answer(InFlightsOut(items=[InFlightOut.of(call) for call in running.directory.in_flight(session_id)]))


@router.get("/clients", response_model=ClientsOut, tags=["clients"])
async def list_clients(running: CurrentSwitchroom) -> ApiResponse:
    """List the clients of the 2026-07-28 era that hold no session, the last heard first."""
    return answer(ClientsOut(items=[SessionOut.of(client) for client in await running.directory.clients()]))
