"""The forms before an action: a dialog for htmx, a page of its own without."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from .. import forms, limit_forms, replaying
from ..bulk_forms import MAX_CHOSEN, Asked, bulk_form, expire_one
from ..contexts.dialogs import FormPage
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_form
from ..templating import urls_of

router = APIRouter()


@router.get("/sessions/{session_id}/expiration")
async def ask_expiration(request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom) -> Response:
    """Ask before one session is expired."""
    session = await room.directory.session(session_id)
    form = await expire_one(room, urls_of(request), session)
    return await render_form(request, room, actor, form, FormPage(expiry=form), "Expire session")


async def asked_about(
    ids: Annotated[list[str], Query(alias="id", max_length=MAX_CHOSEN)] = [],  # noqa: B006
    q: Annotated[str, Query(max_length=2_100)] = "",
    excepted: Annotated[list[str], Query(alias="except", max_length=1_000)] = [],  # noqa: B006
) -> Asked:
    """Read whom an action is about: the sessions chosen, or else all that match."""
    return Asked(tuple(ids), q, tuple(excepted), is_by_filter=not ids)


@router.get("/expirations")
async def ask_expirations(
    request: Request, actor: OperatorActor, room: CurrentSwitchroom, asked: Annotated[Asked, Depends(asked_about)]
) -> Response:
    """Ask before several sessions are expired."""
    form = bulk_form(room, urls_of(request), "expire", asked)
    return await render_form(request, room, actor, form, FormPage(expiry=form), "Expire sessions")


@router.get("/calls/cancellations")
async def ask_cancellations(
    request: Request, actor: OperatorActor, room: CurrentSwitchroom, asked: Annotated[Asked, Depends(asked_about)]
) -> Response:
    """Ask before the calls in flight of several sessions are cancelled."""
    form = bulk_form(room, urls_of(request), "cancel", asked)
    return await render_form(request, room, actor, form, FormPage(expiry=form), "Cancel calls")


@router.get("/sessions/{session_id}/replays")
async def ask_replay(request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom) -> Response:
    """Ask which events to send again, and tell what would come of the present choice."""
    session = await room.directory.session(session_id)
    given = {name: request.query_params.get(name, "")[:12] for name in replaying.FIELDS}
    form = await replaying.replay_form(room, urls_of(request), session, given)
    return await render_form(request, room, actor, form, FormPage(again=form), "Replay")


@router.get("/sessions/{session_id}/messages")
async def ask_message(request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom) -> Response:
    """Ask what to write to one session."""
    session = await room.directory.session(session_id)
    form = forms.message_form(room.directory, urls_of(request), session)
    return await render_form(request, room, actor, form, FormPage(letter=form), "Message")


@router.get("/sessions/{session_id}/cancellations")
async def ask_cancellation(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    request_id: Annotated[str, Query(max_length=1_000)] = "",
) -> Response:
    """Ask before a call in flight is cancelled."""
    session = await room.directory.session(session_id)
    form = forms.cancel_form(room.directory, urls_of(request), session, request_id)
    return await render_form(request, room, actor, form, FormPage(cancelling=form), "Cancel call")


@router.get("/sessions/{session_id}/resources/{number}/closing")
async def ask_resource_closing(
    request: Request, session_id: str, number: int, actor: OperatorActor, room: CurrentSwitchroom
) -> Response:
    """Ask before a resource is closed."""
    session = await room.directory.session(session_id)
    form = forms.close_resource_form(room.directory, urls_of(request), session, number)
    return await render_form(request, room, actor, form, FormPage(closing=form), "Close resource")


@router.get("/sessions/{session_id}/sign-out")
async def ask_sign_out(request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom) -> Response:
    """Ask before a sign-in is ended."""
    form = forms.end_sign_in_form(urls_of(request), await room.directory.session(session_id))
    return await render_form(request, room, actor, form, FormPage(closing=form), "End sign-in")


@router.get("/sessions/{session_id}/timeouts")
async def ask_timeouts(request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom) -> Response:
    """Ask for other limits of one session."""
    form = limit_forms.timeouts_form(urls_of(request), await room.directory.session(session_id))
    return await render_form(request, room, actor, form, FormPage(limits=form), "Session limits")


@router.get("/sessions/{session_id}/streams/{stream}/closing")
async def ask_closing(
    request: Request, session_id: str, stream: int, actor: OperatorActor, room: CurrentSwitchroom
) -> Response:
    """Ask before an open stream is closed."""
    session = await room.directory.session(session_id)
    form = forms.close_stream_form(room.directory, urls_of(request), session, stream)
    return await render_form(request, room, actor, form, FormPage(closing=form), "Close stream")
