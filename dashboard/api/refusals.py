"""Refused session ids: which there were lately, and what became of one."""

from __future__ import annotations

from pydantic import BaseModel, Field

from ...server.directory import Diagnosis, Refusal
from ...server.models import Role
from ..deps import CurrentSwitchroom
from .requests import LookupIn
from .routing import ROLE_KEY, ApiResponse, answer, api_router
from .values import Time, optional_timestamp, timestamp

router = api_router("sessions")


class DiagnosisOut(BaseModel):
    """What became of a session id."""

    verdict: str = Field(description="`live`, `ended` or `unknown`.")
    sentence: str = Field(description="The whole answer, for people.")
    session_id: str | None = Field(description="Public reference of the session; null when the id names none.")
    ended_at: Time | None
    end_reason: str | None = Field(description="Why it ended, in words.")
    end_code: str | None = Field(description="`client`, `idle`, `lifetime`, `operator`, `limit`, `refused`, …")
    end_by: str | None = Field(description="The operator who ended it.")
    refused: int = Field(description="How often the id was refused lately.")
    last_refused_at: Time | None

    @classmethod
    def of(cls, found: Diagnosis) -> DiagnosisOut:
        ended = found.ended
        return cls(
            verdict=found.verdict.value,
            sentence=found.sentence,
            session_id=found.session_id,
            ended_at=timestamp(ended.ended_at) if ended is not None else None,
            end_reason=(ended.end_reason or ended.end_code) if ended is not None else None,
            end_code=ended.end_code if ended is not None else None,
            end_by=ended.end_by if ended is not None else None,
            refused=found.refused,
            last_refused_at=optional_timestamp(found.last_refused_at),
        )


class RefusalOut(BaseModel):
    """A session id that was refused."""

    mcp_session_id_prefix: str = Field(description="First eight characters of what was sent.")
    verdict: str = Field(description="`ended`, `other_principal`, `other_server` or `unknown`.")
    sentence: str
    session_id: str | None
    address: str
    principal: str | None = Field(description="Who sent it, not whose session it is.")
    times: int
    first_at: Time
    last_at: Time

    @classmethod
    def of(cls, refusal: Refusal) -> RefusalOut:
        return cls(
            mcp_session_id_prefix=refusal.prefix,
            verdict=refusal.verdict.value,
            sentence=refusal.sentence,
            session_id=refusal.session_id,
            address=refusal.address,
            principal=refusal.principal,
            times=refusal.times,
            first_at=timestamp(refusal.first_at),
            last_at=timestamp(refusal.last_at),
        )


class RefusalsOut(BaseModel):
    """The last 200 refused session ids."""

    items: list[RefusalOut]


@router.post("/sessions/diagnosis", response_model=DiagnosisOut, openapi_extra={ROLE_KEY: Role.VIEWER.value})
async def diagnose_session_id(body: LookupIn, running: CurrentSwitchroom) -> ApiResponse:
    """Say what became of an `Mcp-Session-Id` or handle; one that nobody knows has an answer too."""
    return answer(DiagnosisOut.of(await running.directory.diagnose(body.mcp_session_id)))


@router.get("/refusals", response_model=RefusalsOut)
async def list_refusals(running: CurrentSwitchroom) -> ApiResponse:
    """List the session ids that were refused since the server started, the last one first."""
    return answer(RefusalsOut(items=[RefusalOut.of(each) for each in running.directory.refusals()]))
