"""Writing to one session, and to many."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.errors import InvalidInput
from .. import forms
from ..contexts.dialogs import FormPage, Toast
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_form
from ..templating import is_partial_request, urls_of
from ._results import notice

router = APIRouter()

_Text = Annotated[str, Form(max_length=100_000)]
_Level = Annotated[str, Form(max_length=20)]
_Key = Annotated[str, Form(max_length=100)]


@router.post("/sessions/{session_id}/messages")
async def send_message(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    text: _Text = "",
    level: _Level = "info",
    idempotency_key: _Key = "",
) -> Response:
    """Send a message to one session: a broadcast with an audience of one."""
    urls = urls_of(request)
    try:
        sent = await room.operations.broadcast(
            actor, text=text, level=level, session_ids=[session_id], idempotency_key=idempotency_key or None
        )
    except InvalidInput as error:
        session = await room.directory.session(session_id)
        values = {"text": text, "level": level, "idempotency_key": idempotency_key}
        form = forms.message_form(room.directory, urls, session, values=values, error=error.message)
        return await render_form(request, room, actor, form, FormPage(letter=form), "Message", status=422)
    receipt = urls.broadcast(sent.id)
    if is_partial_request(request):
        return notice(request, Toast("The message is on its way.", "", receipt, "Open the receipt"))
    return RedirectResponse(receipt, status_code=303)
