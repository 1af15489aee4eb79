"""Changing stored keys, and showing a secret."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.attach import Switchroom
from ...server.errors import CannotOpen, Conflict, InvalidInput, LimitReached, NotFound, Unsupported
from ...server.models import Actor, Session
from .. import key_forms as forms
from ..confirming import confirm_password
from ..contexts.dialogs import FormPage, Toast
from ..contexts.key_forms import KeyForm
from ..contexts.keys import KeysChanged
from ..deps import AdminActor, CurrentSwitchroom, OperatorActor
from ..rendering import render_form, render_partial
from ..session_panels import key_rights, keys_panel
from ..templating import is_partial_request, urls_of

router = APIRouter()

_Key = Annotated[str, Form(max_length=2_000)]
_Text = Annotated[str, Form(max_length=4_000_000)]
_Version = Annotated[int, Form(ge=0)]

_REFUSED = (InvalidInput, LimitReached, Unsupported)


@router.post("/sessions/{session_id}/keys/new")
async def add_key(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    key: _Key = "",
    value: _Text = "",
    secret: Annotated[bool, Form()] = False,
) -> Response:
    """Store a key that is not there yet."""
    session = await room.directory.session(session_id)
    error = name_error = ""
    try:
        read = forms.read_value(value)
        await room.operations.set_key(actor, session_id, key, read, if_version=0, secret=secret)
    except Conflict:
        name_error = "There is a key of that name already: edit that one."
    except _REFUSED as refused:
        is_about_name = refused.message.startswith("A key's name")
        name_error, error = (refused.message, "") if is_about_name else ("", refused.message)
    else:
        return await _changed(request, room, actor, session, key, f"Added {key}.")
    form = forms.new_key_form(
        urls_of(request), session, key=key, value=value, is_secret=secret, error=error, name_error=name_error
    )
    return await _form_again(request, room, actor, form, "Add a key")


@router.post("/sessions/{session_id}/keys/value")
async def set_value(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    key: _Key = "",
    value: _Text = "",
    version: _Version = 0,
) -> Response:
    """Store a value over the version that it was made from; over another one, show both instead."""
    session, error = await room.directory.session(session_id), ""
    try:
        read = forms.read_value(value)
        stored = await room.operations.set_key(actor, session_id, key, read, if_version=version)
    except Conflict:
        pass
    except _REFUSED as refused:
        error = refused.message
    else:
        return await _changed(request, room, actor, session, key, f"Stored {key}, version {stored.version:,}.")
    form = await forms.value_form_again(room, urls_of(request), session, key, value, version, error=error)
    return await _form_again(request, room, actor, form, "Edit key")


@router.post("/sessions/{session_id}/keys/expiry")
async def set_expiry(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    key: _Key = "",
    ttl: Annotated[str, Form(max_length=100)] = "",
    version: _Version = 0,
) -> Response:
    """Change when a key vanishes."""
    session = await room.directory.session(session_id)
    try:
        seconds = forms.read_duration(ttl)
        await room.operations.set_key_ttl(actor, session_id, key, seconds, if_version=version)
    except (InvalidInput, Conflict, CannotOpen) as error:
        form = await forms.expiry_form(room, urls_of(request), session, key, typed=ttl, error=error.message)
        return await render_form(request, room, actor, form, FormPage(lasting=form), "Time to live", status=422)
    text = f"{key} is kept as long as its session." if seconds is None else f"{key} vanishes in {ttl.strip()}."
    return await _changed(request, room, actor, session, key, text)


@router.post("/sessions/{session_id}/keys/deletion")
async def delete_key(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    key: _Key = "",
    version: _Version = 0,
) -> Response:
    """Delete a key of the version that the operator saw."""
    session = await room.directory.session(session_id)
    try:
        was_there = await room.operations.delete_key(actor, session_id, key, if_version=version)
    except Conflict:
        note = "Somebody changed it meanwhile. Look at the new version first, or delete that one."
        form = await forms.deletion_form(room, urls_of(request), session, key, error=note)
        return await render_form(request, room, actor, form, FormPage(dropping=form), "Delete key", status=409)
    text = f"Deleted {key}." if was_there else f"{key} was gone already."
    return await _changed(request, room, actor, session, "", text)


@router.post("/sessions/{session_id}/keys/revelation")
async def reveal(
    request: Request,
    session_id: str,
    actor: AdminActor,
    room: CurrentSwitchroom,
    key: _Key = "",
    password: Annotated[str, Form(max_length=1_000)] = "",
    event: Annotated[int | None, Form(ge=1)] = None,
) -> Response:
    """Show a secret in the answer, and nowhere else, to an admin who gives the password again."""
    session, urls = await room.directory.session(session_id), urls_of(request)
    value, error, status = None, "", 200
    try:
        await confirm_password(request, actor, password, action="reveal_key", target=f"{session_id} {key}")
        value = await room.operations.reveal_key(actor, session_id, key, event_seq=event)
    except LimitReached as refused:
        error, status = f"{refused.message} Try again in {refused.retry_after} seconds.", 429
    except (InvalidInput, NotFound, CannotOpen) as refused:
        error, status = refused.message, 422
    form = forms.revelation_form(urls, session, key, event, error=error, value=value)
    return await render_form(request, room, actor, form, FormPage(revealing=form), "Secret", status=status)


async def _form_again(request: Request, room: Switchroom, actor: Actor, form: KeyForm, title: str) -> Response:
    status = 409 if form.present is not None else 422
    return await render_form(request, room, actor, form, FormPage(keying=form), title, status=status)


async def _changed(request: Request, room: Switchroom, actor: Actor, session: Session, key: str, text: str) -> Response:
    """Show the tab as it is now, with what was done; without htmx, lead back to it."""
    urls = urls_of(request)
    if not is_partial_request(request):
        return RedirectResponse(urls.session(session.id, "keys", view=key), status_code=303)
    keys = await keys_panel(room, urls, session, view=key, rights=key_rights(actor, session))
    headers = {"HX-Trigger": "dialog:close", "HX-Reswap": "none"}
    return render_partial(request, KeysChanged(Toast(text, "", "", ""), keys), headers=headers)
