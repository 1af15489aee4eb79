"""Cancelling a call in flight."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from ...server.errors import InvalidInput
from .. import forms
from ..contexts.dialogs import FormPage
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_form
from ..templating import urls_of
from ._results import done

router = APIRouter()


@router.post("/sessions/{session_id}/cancellations")
async def cancel_call(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    request_id: Annotated[str, Form(max_length=1_000)] = "",
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Cancel one call."""
    urls = urls_of(request)
    try:
        result = await room.operations.cancel(actor, session_id, request_id, reason)
    except InvalidInput as error:
        session = await room.directory.session(session_id)
        form = forms.cancel_form(room.directory, urls, session, request_id, reason=reason, error=error.message)
        return await render_form(request, room, actor, form, FormPage(cancelling=form), "Cancel call", status=422)
    back = urls.session(session_id, "streams")
    return await done(request, room.directory, result.action_id, back, fallback="The call was cancelled.")
