"""Blocking and lifting, removing members from groups, closing what a sessionless client holds open."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from ...server.errors import InvalidInput, LimitReached
from ..contexts.dialogs import FormPage, Toast
from ..deps import CurrentSwitchroom, OperatorActor
from ..formatting import plural
from ..rendering import render_form
from ..rule_forms import WantedBlock, block_form, close_listening_form, group_of, lift_form, remove_form
from ..templating import is_partial_request, urls_of
from ._results import done, notice

router = APIRouter()

_Reason = Annotated[str, Form(max_length=2_000)]


@router.post("/blocks")
async def block(
    request: Request,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    session: Annotated[str, Form(max_length=40)] = "",
    what: Annotated[str, Form(max_length=400)] = "",
    kind: Annotated[str, Form(max_length=20)] = "",
    value: Annotated[str, Form(max_length=400)] = "",
    reason: _Reason = "",
    seconds: Annotated[str, Form(max_length=10)] = "",
    ends: Annotated[bool, Form()] = False,
) -> Response:
    """Block somebody, and end what they have open where that is wanted."""
    wanted = WantedBlock(session, what, kind, value, reason, seconds, ends)
    urls = urls_of(request)
    try:
        by, name = wanted.target()
        term = wanted.duration()
        result = await room.operations.block(actor, by, name, reason, seconds=term, ends_sessions=ends)
    except (InvalidInput, LimitReached) as error:
        shown = error if isinstance(error, InvalidInput) else InvalidInput(error.message)
        form = await block_form(room, urls, wanted, shown)
        return await render_form(request, room, actor, form, FormPage(barring=form), "Block", status=422)
    return await done(
        request, room.directory, result.action_id, urls.blocks(), fallback="The block is in force.", refreshes=True
    )


@router.post("/blocks/{block_id}/lifting")
async def lift_block(
    request: Request, block_id: str, actor: OperatorActor, room: CurrentSwitchroom, reason: _Reason = ""
) -> Response:
    """Lift a block."""
    urls = urls_of(request)
    try:
        await room.operations.lift_block(actor, block_id, reason)
    except InvalidInput as error:
        form = lift_form(room.directory, urls, block_id, reason=reason, error=error.message)
        return await render_form(request, room, actor, form, FormPage(lifting=form), "Lift block", status=422)
    if not is_partial_request(request):
        return RedirectResponse(urls.blocks(), status_code=303)
    return notice(request, Toast("The block was lifted.", "", "", ""), refreshes=True)


@router.post("/groups/{name}/members/{session_id}/removal")
async def remove_member(
    request: Request,
    name: str,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    reason: _Reason = "",
    server: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Take a session out of a group."""
    urls, directory = urls_of(request), room.directory
    group = group_of(directory, name, server)
    try:
        was_member = await room.operations.remove_member(actor, group.server, name, session_id, reason)
    except InvalidInput as error:
        form = await remove_form(directory, urls, name, session_id, server, reason=reason, error=error.message)
        return await render_form(request, room, actor, form, FormPage(removal=form), "Remove from group", status=422)
    if not is_partial_request(request):
        is_left = any(each.server == group.server and each.name == name for each in directory.rules.groups())
        return RedirectResponse(urls.group(name, server=server) if is_left else urls.groups(), status_code=303)
    text = "The session was removed from the group." if was_member else "The session had left already."
    return notice(request, Toast(text, "", "", ""))


@router.post("/clients/{client_id}/listening")
async def close_listening(
    request: Request, client_id: str, actor: OperatorActor, room: CurrentSwitchroom, reason: _Reason = ""
) -> Response:
    """Close every listen stream of a client."""
    urls = urls_of(request)
    try:
        closed = await room.operations.close_listen_streams(actor, client_id, reason)
    except InvalidInput as error:
        form = await close_listening_form(room.directory, urls, client_id, reason=reason, error=error.message)
        return await render_form(request, room, actor, form, FormPage(hush=form), "Close listen streams", status=422)
    if not is_partial_request(request):
        return RedirectResponse(urls.client(client_id), status_code=303)
    text = f"Closed {plural(closed, 'listen stream')}." if closed else "No listen stream was open."
    return notice(request, Toast(text, "", "", ""))
