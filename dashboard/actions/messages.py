"""Writing to one session, and to many."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.errors import InvalidInput, NotFound
from .. import forms
from ..compose import Draft, composer_page
from ..contexts.dialogs import FormPage, Toast
from ..contexts.shell import Crumb, Frame
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_form, render_page
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


@router.post("/broadcasts")
async def send_broadcast(
    request: Request,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    audience: Annotated[str, Form(max_length=20)] = "all",
    q: Annotated[str, Form(max_length=2_100)] = "",
    exclude: Annotated[str, Form(max_length=2_100)] = "",
    ids: Annotated[list[str], Form(alias="id", max_length=1_000)] = [],  # noqa: B006
    text: _Text = "",
    level: _Level = "info",
    minutes: Annotated[str, Form(max_length=10)] = "",
    idempotency_key: _Key = "",
) -> Response:
    """Start a broadcast and lead to its receipt, which fills while it goes out."""
    urls = urls_of(request)
    draft = Draft(audience, q, exclude, tuple(ids), text, level, minutes, idempotency_key)
    try:
        query, excluded = draft.filters()
        sent = await room.operations.broadcast(
            actor,
            text=text,
            level=level,
            query=query,
            exclude=excluded,
            session_ids=draft.chosen(),
            idempotency_key=idempotency_key or None,
            ttl_seconds=draft.ttl_seconds(),
        )
    except (InvalidInput, NotFound) as error:
        composer = await composer_page(room, draft, error=error.message)
        crumbs = [Crumb("Broadcasts", urls.broadcasts()), Crumb("New broadcast")]
        frame = Frame("broadcast", "New broadcast", crumbs, is_live=False)
        return await render_page(request, room, actor, frame, composer, status=422)
    return RedirectResponse(urls.broadcast(sent.id), status_code=303)


@router.post("/broadcasts/{broadcast_id}/stop")
async def stop_broadcast(
    request: Request, broadcast_id: str, actor: OperatorActor, room: CurrentSwitchroom
) -> Response:
    """Stop sending; what was sent stays sent."""
    stopped = await room.operations.stop_broadcast(actor, broadcast_id)
    return RedirectResponse(urls_of(request).broadcast(stopped.id), status_code=303)
