"""Calls in flight over all sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from ...server.directory import FlyingCall
from ...server.errors import InvalidInput
from ...server.models import PastCall
from ..call_data import CallQuery, matching_calls
from ..deps import CurrentSwitchroom
from .keys import SeqPath
from .routing import ApiResponse, answer, api_router
from .schemas import ClientOut, InFlightOut
from .sessions import SessionPath
from .values import Time, parse_request_id, timestamp

router = api_router("in-flight")


class FlyingCallOut(InFlightOut):
    """A request that has not been answered yet, and whose it is."""

    session_id: str = Field(description="Public reference of the session, or of the client that holds none.")
    kind: str = Field(description="`client` where the call carries no handle, so that there is no session.")
    era: str
    server: str
    client: ClientOut
    principal: str | None
    is_stream: bool = Field(description="Whether it is answered only when its stream ends; it is never hung.")

    @classmethod
    def whose(cls, flying: FlyingCall) -> FlyingCallOut:
        session = flying.session
        values = {
            **dict(InFlightOut.of(flying.call)),
            "session_id": session.id,
            "kind": session.kind.value,
            "era": session.era.value,
            "server": session.server,
            "client": ClientOut(name=session.client_name or None, version=session.client_version or None),
            "principal": session.principal,
            "is_stream": flying.call.is_endless,
        }
        return cls.model_validate(values)


class FlyingCallsOut(BaseModel):
    """The oldest calls in flight."""

    items: list[FlyingCallOut]
    total: int = Field(description="How many match in all.")


class PastCallOut(BaseModel):
    """A request that was not answered at a moment of the past."""

    request_id: str | int | float | None
    seq: int = Field(description="Of the request in the session's log.")
    method: str
    target: str | None
    started_at: Time
    direction: str = Field(description="`from_client`, or `from_server` for what the server asked its client.")

    @classmethod
    def of(cls, call: PastCall) -> PastCallOut:
        return cls(
            request_id=parse_request_id(call.request_id),
            seq=call.seq,
            method=call.method,
            target=call.target,
            started_at=timestamp(call.started_at),
            direction=call.direction.value,
        )


class PastCallsOut(BaseModel):
    """The requests of both sides that were open directly after an event, oldest first."""

    seq: int
    at: Time
    is_whole: bool = Field(description="Whether none can be missing: the log was read back to its beginning.")
    items: list[PastCallOut]


@router.get("/sessions/{session_id}/events/{seq}/in-flight", response_model=PastCallsOut)
async def show_past_calls(session_id: SessionPath, seq: SeqPath, running: CurrentSwitchroom) -> ApiResponse:
    """Return which requests were not answered yet directly after an event."""
    past = await running.directory.calls_at(session_id, seq)
    items = [PastCallOut.of(call) for call in past.calls]
    return answer(PastCallsOut(seq=past.seq, at=timestamp(past.at), is_whole=past.is_whole, items=items))


@router.get("/in-flight", response_model=FlyingCallsOut)
async def list_all_in_flight(
    running: CurrentSwitchroom,
    q: Annotated[str, Query(max_length=2_000, description="A filter over their sessions.")] = "",
    hung: Annotated[bool, Query(description="Only those in flight for longer than `hung_call_seconds`.")] = False,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> ApiResponse:
    """List the requests of every session and client that are not answered yet, oldest first."""
    wanted = CallQuery(q, hung)
    if wanted.error:
        raise InvalidInput(wanted.error, field="q")
    found = matching_calls(running, wanted)
    return answer(FlyingCallsOut(items=[FlyingCallOut.whose(each) for each in found[:limit]], total=len(found)))
