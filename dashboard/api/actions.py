"""What operators do to sessions: expire, replay, cancel, close a stream."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from ...server.operations import CancelResult, ExpireResult, ReplayResult
from ..deps import CurrentActor, CurrentSwitchroom
from .requests import MAX_SEQ, CancellationIn, ExpirationIn, ReplayIn, StreamClosingIn
from .routing import ApiResponse, answer, api_router
from .sessions import SessionPath

router = api_router("actions")

MAX_LISTED = 1_000
"""Sessions listed by id in one result; the counts are always whole."""


class FailureOut(BaseModel):
    """A session that could not be expired."""

    session_id: str
    reason: str


class ExpirationOut(BaseModel):
    """What became of every session that was to be expired."""

    action_id: str = Field(description="The action's id in the audit log.")
    matched: int
    expired_count: int
    already_ended_count: int
    failed_count: int
    calls_ended: int = Field(description="Calls in flight that were answered with an error.")
    streams_closed: int
    expired: list[str] = Field(description="Ids, at most the first 1,000.")
    already_ended: list[str] = Field(description="Ids, at most the first 1,000.")
    failed: list[FailureOut] = Field(description="At most the first 1,000.")

    @classmethod
    def of(cls, result: ExpireResult) -> ExpirationOut:
        return cls(
            action_id=result.action_id,
            matched=result.matched,
            expired_count=len(result.expired),
            already_ended_count=len(result.already_ended),
            failed_count=len(result.failed),
            calls_ended=result.calls_ended,
            streams_closed=result.streams_closed,
            expired=result.expired[:MAX_LISTED],
            already_ended=result.already_ended[:MAX_LISTED],
            failed=[FailureOut(session_id=each, reason=reason) for each, reason in result.failed[:MAX_LISTED]],
        )


class ReplayItemOut(BaseModel):
    """What became of one event."""

    seq: int
    new_seq: int | None
    status: str = Field(description="`delivered`, `queued` or `skipped`.")
    reason: str
    method: str | None = Field(description="Null where the log holds no such event.")


class ReplayOut(BaseModel):
    """What was sent again, what waits, and what cannot be."""

    action_id: str
    delivered: int
    queued: int
    skipped: int
    items: list[ReplayItemOut]

    @classmethod
    def of(cls, result: ReplayResult) -> ReplayOut:
        return cls(
            action_id=result.action_id,
            delivered=result.delivered,
            queued=result.queued,
            skipped=result.skipped,
            items=[ReplayItemOut.model_validate(item._asdict()) for item in result.items],
        )


class CancellationOut(BaseModel):
    """What became of the call."""

    action_id: str
    outcome: str = Field(description="`cancelled`, `answered_by_leg` (its handler went on) or `already_answered`.")

    @classmethod
    def of(cls, result: CancelResult) -> CancellationOut:
        return cls(action_id=result.action_id, outcome=result.outcome)


class StreamClosingOut(BaseModel):
    """Whether a stream was open."""

    closed: bool


@router.post("/sessions/{session_id}/expiration", response_model=ExpirationOut)
async def expire_session(
    session_id: SessionPath, body: ExpirationIn, actor: CurrentActor, running: CurrentSwitchroom
) -> ApiResponse:
    """End a session: its calls are answered with an error that says why, and its client gets 404 from now on."""
    await running.directory.session(session_id)
    result = await running.operations.expire(actor, body.reason, session_ids=[session_id])
    return answer(ExpirationOut.of(result))


@router.post("/sessions/{session_id}/replays", response_model=ReplayOut)
async def replay_events(
    session_id: SessionPath, body: ReplayIn, actor: CurrentActor, running: CurrentSwitchroom
) -> ApiResponse:
    """Send logged notifications to the client again, as new events."""
    await running.directory.session(session_id)
    result = await running.operations.replay(
        actor,
        session_id,
        after_seq=body.after_seq,
        seqs=body.seqs or (),
        from_seq=body.from_seq,
        to_seq=body.to_seq,
        stream=body.stream,
    )
    return answer(ReplayOut.of(result))


@router.post("/sessions/{session_id}/cancellations", response_model=CancellationOut)
async def cancel_call(
    session_id: SessionPath, body: CancellationIn, actor: CurrentActor, running: CurrentSwitchroom
) -> ApiResponse:
    """Cancel one call in flight."""
    await running.directory.session(session_id)
    result = await running.operations.cancel(actor, session_id, json.dumps(body.request_id), body.reason)
    return answer(CancellationOut.of(result))


@router.post("/sessions/{session_id}/streams/{stream}/closing", response_model=StreamClosingOut)
async def close_stream(
    session_id: SessionPath,
    stream: Annotated[int, Path(ge=0, le=MAX_SEQ)],
    body: StreamClosingIn,
    actor: CurrentActor,
    running: CurrentSwitchroom,
) -> ApiResponse:
    """End an open stream; its client may reconnect and resume."""
    await running.directory.session(session_id)
    closed = await running.operations.close_stream(actor, session_id, stream, body.reason)
    return answer(StreamClosingOut(closed=closed))
