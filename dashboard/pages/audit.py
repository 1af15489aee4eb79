"""The audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ..contexts.audit import AuditPage, make_trail
from ..contexts.shell import Frame
from ..deps import CurrentActor, CurrentSwitchroom
from ..rendering import render_page
from ..templating import urls_of
from ..wording import ACTIONS

router = APIRouter()

_PAGE = 50


@router.get("/audit")
async def list_actions(
    request: Request,
    who: CurrentActor,
    room: CurrentSwitchroom,
    actor: Annotated[str, Query(max_length=200)] = "",
    action: Annotated[str, Query(max_length=60)] = "",
    target: Annotated[str, Query(max_length=400)] = "",
    before: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
) -> Response:
    """Show operators' actions, newest first."""
    wanted = {"actor": actor.strip(), "action": action, "target": target.strip()}
    asked = {name: value or None for name, value in wanted.items()}
    entries = await room.directory.audit(limit=_PAGE + 1, before=before, **asked)
    shown = entries[:_PAGE]
    older = urls_of(request).audit(**wanted, before=shown[-1].id) if len(entries) > _PAGE else ""
    is_filtered = any(wanted.values())
    empty = "No action matches." if is_filtered else "No operator has done anything yet."
    page = AuditPage(
        **wanted,
        actions=tuple(ACTIONS.items()),
        is_filtered=is_filtered,
        trail=make_trail(shown, empty=empty, older_url=older),
    )
    return await render_page(request, room, who, Frame("audit", "Audit log", is_live=False), page)
