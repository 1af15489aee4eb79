"""Extending and shortening how long a session may go on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from ...server.errors import InvalidInput
from .. import limit_forms
from ..contexts.dialogs import FormPage
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_form
from ..templating import urls_of
from ._results import done

router = APIRouter()

_Limit = Annotated[str, Form(max_length=40)]


@router.post("/sessions/{session_id}/timeouts")
async def set_timeouts(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    idle: _Limit = "",
    lifetime: _Limit = "",
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Give one session limits of its own."""
    urls, session = urls_of(request), await room.directory.session(session_id)
    values = {"idle": idle, "lifetime": lifetime, "reason": reason}
    try:
        idle_seconds, lifetime_seconds = limit_forms.read_limits(session, idle, lifetime)
        result = await room.operations.set_timeouts(
            actor, session_id, reason, idle_seconds=idle_seconds, lifetime_seconds=lifetime_seconds
        )
    except InvalidInput as error:
        form = limit_forms.timeouts_form(urls, session, values=values, error=error)
        return await render_form(request, room, actor, form, FormPage(limits=form), "Session limits", status=422)
    back = urls.session(session_id)
    return await done(request, room.directory, result.action_id, back, fallback="The limits were changed.")
