"""What a session holds, and ending it: its sign-in, its resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from ...server.models import HeldResource
from ..deps import CurrentActor, CurrentSwitchroom
from .requests import MAX_SEQ, ResourceClosingIn, SignOutIn
from .routing import ApiResponse, answer, api_router
from .sessions import SessionPath
from .values import timestamp

router = api_router("holdings")


class ResourceOut(BaseModel):
    """Something a session holds open."""

    id: int
    name: str
    kind: str = Field(description="The type's name, or `callback`.")
    opened_at: str
    is_owned: bool = Field(description="False: something else owns it, and it goes from the list with its owner.")


class ResourcesOut(BaseModel):
    """What a session holds open."""

    items: list[ResourceOut]

    @classmethod
    def of(cls, held: Sequence[HeldResource]) -> ResourcesOut:
        return cls(
            items=[
                ResourceOut(
                    id=each.id,
                    name=each.name,
                    kind=each.kind,
                    opened_at=timestamp(each.opened_at),
                    is_owned=each.is_owned,
                )
                for each in held
            ]
        )


class ResourceClosingOut(BaseModel):
    """What became of the resource."""

    action_id: str = Field(description="Of the audit entry.")
    name: str | None = Field(description="Null when the session does not hold it (any more).")
    problem: str | None = Field(description="What closing it raised; it is off the list all the same.")


class SignOutOut(BaseModel):
    """Who was signed out."""

    action_id: str = Field(description="Of the audit entry.")
    user: str | None = Field(description="Null when nobody was signed in.")


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
