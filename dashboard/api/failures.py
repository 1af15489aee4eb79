"""Errors by code, of the server or of one session."""

from __future__ import annotations

from ..deps import CurrentSwitchroom
from .results import ErrorGroupsOut
from .routing import ApiResponse, answer, api_router
from .sessions import SessionPath

router = api_router("errors")


@router.get("/errors", response_model=ErrorGroupsOut)
async def list_errors(running: CurrentSwitchroom) -> ApiResponse:
    """Return the newest errors of all sessions and clients, grouped by code and by what was called."""
    return answer(ErrorGroupsOut.of(await running.directory.errors()))


@router.get("/sessions/{session_id}/errors", response_model=ErrorGroupsOut)
async def list_session_errors(session_id: SessionPath, running: CurrentSwitchroom) -> ApiResponse:
    """Return the newest errors of one session, grouped the same."""
    return answer(ErrorGroupsOut.of(await running.directory.errors(session_id)))
