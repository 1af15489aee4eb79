"""The guide's troubleshooting list, looked at in this server."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel, Field

from ..checkup import check_up
from ..deps import CurrentSwitchroom
from ..templating import urls_of
from .routing import ApiResponse, answer, api_router

router = api_router("health")


class FindingOut(BaseModel):
    """One item of the list."""

    item: str
    is_fine: bool
    why: str
    advice: str = Field(description="What to do; empty where it is fine.")
    page: str = Field(description="Path of the console's page for it.")


class CheckupOut(BaseModel):
    """Every item, as it is now."""

    findings: list[FindingOut]


@router.get("/checkup", response_model=CheckupOut)
async def check(request: Request, running: CurrentSwitchroom) -> ApiResponse:
    """Look for what the session-management guide tells people to look for: ids, state, memory, authentication."""
    findings = [FindingOut(**each._asdict()) for each in await check_up(running, urls_of(request))]
    return answer(CheckupOut(findings=findings))
