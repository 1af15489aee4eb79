"""Errors by code, of the server or of one session."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from ...server.models import ErrorGroup
from ..deps import CurrentSwitchroom
from .routing import ApiResponse, answer, api_router
from .sessions import SessionPath
from .values import timestamp

router = api_router("errors")


class ErrorGroupOut(BaseModel):
    """Errors of one code and one tool or method."""

    code: str = Field(description="Stable; the same that clients find in `_meta`.")
    target: str = Field(description="The tool, or the JSON-RPC method.")
    count: int
    sessions: int
    first_at: str
    last_at: str
    last_message: str
    last_session: str
    last_seq: int


class ErrorGroupsOut(BaseModel):
    """The newest errors in groups, the most frequent first; at most 1,000 errors are looked at."""

    items: list[ErrorGroupOut]

    @classmethod
    def of(cls, groups: Sequence[ErrorGroup]) -> ErrorGroupsOut:
        items = [
            ErrorGroupOut(
                code=group.code,
                target=group.target,
                count=group.times,
                sessions=group.sessions,
                first_at=timestamp(group.first_at),
                last_at=timestamp(group.last_at),
                last_message=group.last_message,
                last_session=group.last_session,
                last_seq=group.last_seq,
            )
            for group in groups
        ]
        return cls(items=items)


@router.get("/errors", response_model=ErrorGroupsOut)
async def list_errors(running: CurrentSwitchroom) -> ApiResponse:
    """Return the newest errors of all sessions and clients, grouped by code and by what was called."""
    return answer(ErrorGroupsOut.of(await running.directory.errors()))


@router.get("/sessions/{session_id}/errors", response_model=ErrorGroupsOut)
async def list_session_errors(session_id: SessionPath, running: CurrentSwitchroom) -> ApiResponse:
    """Return the newest errors of one session, grouped the same."""
    return answer(ErrorGroupsOut.of(await running.directory.errors(session_id)))
