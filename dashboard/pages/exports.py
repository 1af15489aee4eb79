"""Sessions as a file: those chosen, or all that a filter matches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from ...server.directory import Directory
from ...server.errors import NotFound
from ...server.filters import parse_filter
from ...server.models import Session
from ..bulk_forms import MAX_CHOSEN
from ..deps import CurrentActor, CurrentSwitchroom
from ..exports import Format, Row, export_response
from ..formatting import iso

router = APIRouter()

_COLUMNS: Final = (
    "id", "status", "kind", "era", "protocol", "client", "version", "principal", "server", "worker", "address",
    "requests", "errors", "in_flight", "streams", "keys", "events", "bytes_in", "bytes_out", "created", "last_seen",
    "expires", "ended", "end_code", "end_by", "end_reason",
)  # fmt: skip
"""Nothing of the `Mcp-Session-Id` is among them, not even its beginning."""


@router.get("/sessions/export")
async def export_sessions(
    actor: CurrentActor,
    room: CurrentSwitchroom,
    ids: Annotated[list[str], Query(alias="id", max_length=MAX_CHOSEN)] = [],  # noqa: B006
    q: Annotated[str, Query(max_length=2_100)] = "",
    excepted: Annotated[list[str], Query(alias="except", max_length=1_000)] = [],  # noqa: B006
    format: Format = "csv",
) -> Response:
    """Send sessions as a file, live ones first."""
    found = _chosen(room.directory, ids) if ids else room.directory.everything(parse_filter(q), frozenset(excepted))

    async def lots() -> AsyncIterator[list[Row]]:
        async for sessions in found:
            yield [_row(session) for session in sessions]

    return export_response(lots(), _COLUMNS, format, "switchroom-sessions")


async def _chosen(directory: Directory, ids: list[str]) -> AsyncIterator[list[Session]]:
    for session_id in dict.fromkeys(ids):
        try:
            yield [await directory.session(session_id)]
        except NotFound:
            continue


def _row(session: Session) -> Row:
    return {
        "id": session.id,
        "status": session.status,
        "kind": session.kind.value,
        "era": session.era.value,
        "protocol": session.protocol_version,
        "client": session.client_name,
        "version": session.client_version,
        "principal": session.principal,
        "server": session.server,
        "worker": session.worker_id,
        "address": session.address,
        "requests": session.request_count,
        "errors": session.error_count,
        "in_flight": session.in_flight,
        "streams": session.open_streams,
        "keys": session.key_count,
        "events": session.event_count,
        "bytes_in": session.bytes_in,
        "bytes_out": session.bytes_out,
        "created": iso(session.created_at),
        "last_seen": iso(session.last_activity_at),
        "expires": iso(session.expires_at) if session.expires_at is not None else None,
        "ended": iso(session.ended_at) if session.ended_at is not None else None,
        "end_code": session.end_code,
        "end_by": session.end_by,
        "end_reason": session.end_reason,
    }
