"""Closing a stream that a client holds open."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.errors import InvalidInput, Unsupported
from ...server.models import SessionKind
from .. import forms
from ..contexts.dialogs import FormPage, Toast
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_form
from ..templating import is_partial_request, urls_of
from ._results import notice

router = APIRouter()


@router.post("/sessions/{session_id}/streams/{stream}/closing")
async def close_stream(
    request: Request,
    session_id: str,
    stream: int,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Close one stream."""
    urls = urls_of(request)
    session = await room.directory.session(session_id)
    try:
        closed = await room.operations.close_stream(actor, session_id, stream, reason)
    except (InvalidInput, Unsupported) as error:
        form = forms.close_stream_form(room.directory, urls, session, stream, reason=reason, error=error.message)
        return await render_form(request, room, actor, form, FormPage(closing=form), "Close stream", status=422)
    if not is_partial_request(request):
        is_client = session.kind is SessionKind.CLIENT
        back = urls.record(session_id, "streams", is_client=is_client)
        return RedirectResponse(back, status_code=303)
    text = "The stream was closed." if closed else "The stream was closed already."
    return notice(request, Toast(text, "", "", ""))
