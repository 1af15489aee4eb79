"""The forms about one stored key: a dialog for htmx, a page of its own without."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from .. import key_forms as forms
from ..contexts.dialogs import FormPage
from ..deps import AdminActor, CurrentSwitchroom, OperatorActor
from ..rendering import render_form
from ..templating import urls_of

router = APIRouter()

_Key = Annotated[str, Query(max_length=500)]


@router.get("/sessions/{session_id}/keys/new")
async def ask_new_key(request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom) -> Response:
    """Ask for a key to add."""
    form = forms.new_key_form(urls_of(request), await room.directory.session(session_id))
    return await render_form(request, room, actor, form, FormPage(keying=form), "Add a key")


@router.get("/sessions/{session_id}/keys/value")
async def ask_value(
    request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom, key: _Key = ""
) -> Response:
    """Ask for a key's new value."""
    form = await forms.value_form(room, urls_of(request), await room.directory.session(session_id), key)
    return await render_form(request, room, actor, form, FormPage(keying=form), "Edit key")


@router.get("/sessions/{session_id}/keys/expiry")
async def ask_expiry(
    request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom, key: _Key = ""
) -> Response:
    """Ask for a key's time to live."""
    form = await forms.expiry_form(room, urls_of(request), await room.directory.session(session_id), key)
    return await render_form(request, room, actor, form, FormPage(lasting=form), "Time to live")


@router.get("/sessions/{session_id}/keys/deletion")
async def ask_deletion(
    request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom, key: _Key = ""
) -> Response:
    """Ask before a key is deleted."""
    form = await forms.deletion_form(room, urls_of(request), await room.directory.session(session_id), key)
    return await render_form(request, room, actor, form, FormPage(dropping=form), "Delete key")


@router.get("/sessions/{session_id}/keys/revelation")
async def ask_revelation(
    request: Request,
    session_id: str,
    actor: AdminActor,
    room: CurrentSwitchroom,
    key: _Key = "",
    event: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Ask for the password before a secret is shown."""
    form = forms.revelation_form(urls_of(request), await room.directory.session(session_id), key, event)
    return await render_form(request, room, actor, form, FormPage(revealing=form), "Reveal secret")
