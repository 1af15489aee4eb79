"""Completion for filter fields: rendered here, shown by the page's script, not needed without one."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ...server.attach import Switchroom
from ...server.filters import AUDIT_FIELDS
from ...server.filters.fields import FIELDS
from ..contexts.suggestions import key_being_typed, make_suggestions
from ..deps import CurrentSwitchroom, WatchingActor
from ..rendering import render_partial
from ..wording import ACTIONS

router = APIRouter()


@router.get("/suggestions")
async def suggest(
    request: Request,
    actor: WatchingActor,
    room: CurrentSwitchroom,
    add: Annotated[str, Query(max_length=1_000)] = "",
    about: Literal["sessions", "audit"] = "sessions",
) -> Response:
    """Return what completes the last word of `add`."""
    key = key_being_typed(add)
    if about == "audit":
        return render_partial(request, make_suggestions(add, AUDIT_FIELDS, await _audited(room, key)))
    return render_partial(request, make_suggestions(add, FIELDS, room.directory.values_of(key)))


async def _audited(room: Switchroom, key: str) -> Counter[str]:
    if key == "action":
        return Counter(dict.fromkeys(ACTIONS, 0))
    if key not in ("actor", "address"):
        return Counter()
    return Counter(getattr(entry, key) for entry in await room.directory.audit(limit=1_000))
