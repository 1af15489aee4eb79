"""Ending what a session holds: a resource, its sign-in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from ...server.errors import InvalidInput
from .. import forms
from ..contexts.dialogs import ClosingForm, FormPage
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_form
from ..templating import urls_of
from ._results import done

router = APIRouter()

Reason = Annotated[str, Form(max_length=2_000)]


@router.post("/sessions/{session_id}/resources/{number}/closing")
async def close_resource(
    request: Request, session_id: str, number: int, actor: OperatorActor, room: CurrentSwitchroom, reason: Reason = ""
) -> Response:
    """Close one resource."""
    urls, session = urls_of(request), await room.directory.session(session_id)
    try:
        closed = await room.operations.close_resource(actor, session_id, number, reason)
    except InvalidInput as error:
        form = forms.close_resource_form(room.directory, urls, session, number, reason=reason, error=error.message)
        return await _again(request, room, actor, form, "Close resource")
    back, fallback = urls.session(session_id, "resources"), "The resource was closed."
    return await done(request, room.directory, closed.action_id, back, fallback=fallback)


@router.post("/sessions/{session_id}/sign-out")
async def end_sign_in(
    request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom, reason: Reason = ""
) -> Response:
    """End the session's sign-in."""
    urls, session = urls_of(request), await room.directory.session(session_id)
    try:
        ended = await room.operations.end_sign_in(actor, session_id, reason)
    except InvalidInput as error:
        form = forms.end_sign_in_form(urls, session, reason=reason, error=error.message)
        return await _again(request, room, actor, form, "End sign-in")
    back, fallback = urls.session(session_id, "resources"), "The sign-in was ended."
    return await done(request, room.directory, ended.action_id, back, fallback=fallback)


async def _again(
    request: Request, room: CurrentSwitchroom, actor: OperatorActor, form: ClosingForm, title: str
) -> Response:
    return await render_form(request, room, actor, form, FormPage(closing=form), title, status=422)
