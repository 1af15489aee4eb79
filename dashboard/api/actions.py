"""What operators do to sessions: expire, replay, cancel, close a stream."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import Path

from ..deps import CurrentActor, CurrentSwitchroom
from .requests import MAX_SEQ, CancellationIn, ExpirationIn, ReplayIn, StreamClosingIn
from .results import CancellationOut, ExpirationOut, ReplayOut, StreamClosingOut
from .routing import ApiResponse, answer, api_router
from .sessions import SessionPath

router = api_router("actions")


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
