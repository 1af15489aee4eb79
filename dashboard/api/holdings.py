"""What a session holds, and ending it: its sign-in."""

from __future__ import annotations

from ..deps import CurrentActor, CurrentSwitchroom
from .requests import SignOutIn
from .results import SignOutOut
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
