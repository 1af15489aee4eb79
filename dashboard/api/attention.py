"""What needs somebody, and how near each limit is: the overview's list and the health page's table."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel, Field

from ...server.directory import LimitState
from ..attention import concerns
from ..deps import CurrentSwitchroom
from ..health_data import LIMIT_LABELS
from ..templating import urls_of
from .routing import ApiResponse, answer, api_router
from .values import Time, optional_timestamp

router = api_router("health")


class ConcernOut(BaseModel):
    """One thing that needs somebody."""

    text: str
    severity: str = Field(description="`bad`: something was refused or fails; `warn`: it may soon be.")
    page: str = Field(description="Path of the console's page behind it.")


class AttentionOut(BaseModel):
    """Everything that needs somebody, most pressing first."""

    items: list[ConcernOut]


class LimitOut(BaseModel):
    """One limit, how near somebody is, and how often it was reached."""

    limit: str
    title: str = Field(description="The limit in words, as the health page has it.")
    allowed: int
    used: int | None = Field(description="The most that anybody uses now; null where each request is judged alone.")
    used_by: str = Field(description="An address, a principal or a session's reference; empty where it is nobody's.")
    times_reached: int = Field(description="Since the server started.")
    last_reached_at: Time | None
    last_reached_by: str

    @classmethod
    def of(cls, state: LimitState) -> LimitOut:
        hits = state.hits
        return cls(
            limit=state.limit.value,
            title=LIMIT_LABELS[state.limit],
            allowed=state.allowed,
            used=state.used,
            used_by=state.who,
            times_reached=hits.times if hits is not None else 0,
            last_reached_at=optional_timestamp(hits.last_at if hits is not None else None),
            last_reached_by=hits.who if hits is not None else "",
        )


class LimitsOut(BaseModel):
    """Every limit that holds."""

    items: list[LimitOut]


@router.get("/attention", response_model=AttentionOut)
async def show_attention(request: Request, running: CurrentSwitchroom) -> ApiResponse:
    """Return what needs somebody now: limits reached, a store that fails, calls that hang, errors that pile up."""
    found = await concerns(running, urls_of(request))
    return answer(AttentionOut(items=[ConcernOut(text=each.text, severity=each.tone, page=each.url) for each in found]))


@router.get("/limits", response_model=LimitsOut)
async def show_limits(running: CurrentSwitchroom) -> ApiResponse:
    """Return every limit with whoever is nearest to it, and how often it was reached."""
    return answer(LimitsOut(items=[LimitOut.of(state) for state in running.directory.limits()]))
