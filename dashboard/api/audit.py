"""The audit log."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from ...server.filters import parse_audit_filter
from ...server.models import AuditEntry
from ..deps import CurrentSwitchroom
from .requests import MAX_SEQ
from .routing import ApiResponse, answer, api_router
from .values import MAX_FILTER_LENGTH, parse_json, timestamp

router = api_router("audit")


class AuditEntryOut(BaseModel):
    """One action: intent and outcome."""

    id: int
    action_id: str
    at: str
    actor: str
    role: str
    action: str
    target: str
    reason: str
    outcome: str = Field(description="`done`, `partly`, `refused`, `failed`, or `started` while none is recorded.")
    detail: Any
    address: str

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditEntryOut:
        values = {"at": timestamp(entry.at), "detail": parse_json(entry.detail)[0]}
        return cls.model_validate({**entry._asdict(), **values})


class AuditOut(BaseModel):
    """One page of the audit log, newest first."""

    items: list[AuditEntryOut]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


_Text = Annotated[str, Query(max_length=200)]


@router.get("/audit", response_model=AuditOut)
async def list_audit(
    running: CurrentSwitchroom,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[int | None, Query(ge=1, le=MAX_SEQ)] = None,
    q: Annotated[str, Query(max_length=MAX_FILTER_LENGTH, description="A filter of the audit log.")] = "",
    actor: _Text | None = None,
    action: _Text | None = None,
    target: _Text | None = None,
) -> ApiResponse:
    """List operators' actions, newest first."""
    matching = parse_audit_filter(q)
    found = await running.directory.audit(
        limit=limit + 1, before=cursor, actor=actor, action=action, target=target, matching=matching
    )
    shown = found[:limit]
    next_cursor = str(shown[-1].id) if len(found) > limit else None
    return answer(AuditOut(items=[AuditEntryOut.of(entry) for entry in shown], next_cursor=next_cursor))
