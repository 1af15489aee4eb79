"""Calls in flight."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ...server.models import Role
from ..call_data import MAX_CALLS, CallQuery, matching_calls
from ..contexts.calls import make_calls, make_flight
from ..contexts.shell import Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom
from ..formatting import duration
from ..rendering import render_page
from ..templating import urls_of

router = APIRouter()


@router.get("/calls")
async def list_calls(
    request: Request,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    q: Annotated[str, Query(max_length=2_100)] = "",
    hung: bool = False,
) -> Response:
    """Show every call that is not answered yet, the oldest first."""
    urls, wanted, hung_seconds = urls_of(request), CallQuery(q.strip(), hung), room.settings.hung_call_seconds
    position, now, can_act = live_cursor(room.directory), time.time(), actor.role.includes(Role.OPERATOR)
    found = matching_calls(room, wanted)
    rows = [make_flight(each, urls, now=now, hung_seconds=hung_seconds, can_act=can_act) for each in found[:MAX_CALLS]]
    keys = ",".join(row.key for row in rows)
    page = make_calls(
        rows,
        LiveLink(urls.live("calls", q=wanted.q, hung=hung, rows=keys, after=position)),
        more=len(found) - len(rows),
        here=wanted.address(urls),
        q=wanted.q,
        error=wanted.error,
        hung=hung,
        after=duration(hung_seconds),
    )
    status = 422 if wanted.error else 200
    return await render_page(request, room, actor, Frame("calls", "Calls in flight"), page, status=status)
