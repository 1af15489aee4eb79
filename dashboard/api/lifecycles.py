"""The life of a session: the states it went through, and how long it may go on."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from ...server.models import Transition
from ...server.operations import TimeoutsResult
from ...server.operations.timeouts import KEEP
from ..deps import CurrentActor, CurrentSwitchroom
from .requests import Body
from .routing import ApiResponse, answer, api_router
from .sessions import SessionPath
from .values import Reason, optional_timestamp, timestamp

router = api_router("sessions")

_Seconds = Annotated[float, Field(ge=0, le=366 * 24 * 3600)]


class TransitionOut(BaseModel):
    """One step in a session's life."""

    at: str
    state: str = Field(description="From then on; the same as before where only the limits changed.")
    cause: str
    by: str | None = Field(description="The operator who made it.")
    reason: str | None

    @classmethod
    def of(cls, step: Transition) -> TransitionOut:
        return cls(at=timestamp(step.at), state=step.state.value, cause=step.cause, by=step.by, reason=step.reason)


class HistoryOut(BaseModel):
    """The states of a session, oldest first."""

    items: list[TransitionOut]


class TimeoutsIn(Body):
    """Gives a session limits of its own; what is left out stays as it is."""

    idle_seconds: _Seconds | None = Field(
        default=None,
        description="Without a request or an open stream; 0: no limit, null: that of its rule or of the server.",
    )
    lifetime_seconds: _Seconds | None = Field(default=None, description="Since it was opened; 0 and null as above.")
    reason: Reason

    @model_validator(mode="after")
    def _sets_something(self) -> TimeoutsIn:
        if not self.model_fields_set & {"idle_seconds", "lifetime_seconds"}:
            raise ValueError("give idle_seconds, lifetime_seconds or both")
        return self


class TimeoutsOut(BaseModel):
    """The limits in force now."""

    action_id: str = Field(description="The action's id in the audit log.")
    idle_seconds: float | None = Field(description="null: no limit.")
    lifetime_seconds: float | None
    idle_from: str = Field(description="`session`, `server`, or the filter of the rule that sets it.")
    lifetime_from: str
    expires_at: str | None = Field(description="If its client is not heard again; null: never.")

    @classmethod
    def of(cls, result: TimeoutsResult) -> TimeoutsOut:
        chosen = result.timeouts
        return cls(
            action_id=result.action_id,
            idle_seconds=chosen.idle_seconds,
            lifetime_seconds=chosen.lifetime_seconds,
            idle_from=chosen.idle_from,
            lifetime_from=chosen.lifetime_from,
            expires_at=optional_timestamp(result.expires_at),
        )


@router.get("/sessions/{session_id}/history", response_model=HistoryOut)
async def show_history(session_id: SessionPath, running: CurrentSwitchroom) -> ApiResponse:
    """List the states the session went through, each with its time, its cause and who made it."""
    steps = await running.directory.history(session_id)
    return answer(HistoryOut(items=[TransitionOut.of(step) for step in steps]))


@router.put("/sessions/{session_id}/timeouts", response_model=TimeoutsOut)
async def set_timeouts(
    session_id: SessionPath, body: TimeoutsIn, actor: CurrentActor, running: CurrentSwitchroom
) -> ApiResponse:
    """Extend or shorten how long a session may be idle, or may live."""
    await running.directory.session(session_id)
    given = body.model_fields_set
    result = await running.operations.set_timeouts(
        actor,
        session_id,
        body.reason,
        idle_seconds=body.idle_seconds if "idle_seconds" in given else KEEP,
        lifetime_seconds=body.lifetime_seconds if "lifetime_seconds" in given else KEEP,
    )
    return answer(TimeoutsOut.of(result))
