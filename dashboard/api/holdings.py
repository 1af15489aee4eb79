"""What a session holds, and ending it: its sign-in, its resources."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from ..deps import CurrentActor, CurrentSwitchroom
from .requests import MAX_SEQ, ResourceClosingIn, SignOutIn
from .results import ResourceClosingOut, ResourcesOut, SignOutOut
from .routing import ApiResponse, answer, api_router
from .sessions import SessionPath

router = api_router("holdings")


@router.post("/sessions/{session_id}/sign-out", response_model=SignOutOut)
async def sign_out(
    session_id: SessionPath, body: SignOutIn, actor: CurrentActor, running: CurrentSwitchroom
) -> ApiResponse:
    """End the sign-in that a user made with `secure_login`; the session goes on without it."""
    await running.directory.session(session_id)
    result = await running.operations.end_sign_in(actor, session_id, body.reason)
    return answer(SignOutOut(action_id=result.action_id, user=result.user))


@router.get("/sessions/{session_id}/resources", response_model=ResourcesOut)
async def list_resources(session_id: SessionPath, running: CurrentSwitchroom) -> ApiResponse:
    """List what the session holds open, in the order it was opened; all of it is closed when the session ends."""
    await running.directory.session(session_id)
    return answer(ResourcesOut.of(running.directory.resources(session_id)))


@router.post("/sessions/{session_id}/resources/{number}/closing", response_model=ResourceClosingOut)
async def close_resource(
    session_id: SessionPath,
    number: Annotated[int, Path(ge=0, le=MAX_SEQ)],
    body: ResourceClosingIn,
    actor: CurrentActor,
    running: CurrentSwitchroom,
) -> ApiResponse:
    """Close one of them now."""
    await running.directory.session(session_id)
    result = await running.operations.close_resource(actor, session_id, number, body.reason)
    return answer(ResourceClosingOut(action_id=result.action_id, name=result.name, problem=result.problem or None))
