"""Expiring sessions: one, chosen ones, or all that a filter matches."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from ...server.errors import Conflict, InvalidInput
from ...server.filters import parse_filter
from .. import forms
from ..contexts.dialogs import ExpireForm, FormPage
from ..deps import CurrentSwitchroom, OperatorActor
from ..forms import Sent
from ..rendering import render_form
from ..templating import urls_of
from ._results import done

router = APIRouter()

_MAX_REASON = 2_000
_Reason = Annotated[str, Form(max_length=_MAX_REASON)]


@router.post("/sessions/{session_id}/expiration")
async def expire_session(
    request: Request, session_id: str, actor: OperatorActor, room: CurrentSwitchroom, reason: _Reason = ""
) -> Response:
    """Expire one session."""
    urls = urls_of(request)
    try:
        result = await room.operations.expire(actor, reason, session_ids=[session_id])
    except InvalidInput as error:
        session = await room.directory.session(session_id)
        form = await forms.expire_one(room, urls, session, Sent(reason, reason_error=error.message))
        return await _again(request, room, actor, form)
    back = urls.session(session_id)
    return await done(request, room.directory, result.action_id, back, fallback="The session was expired.")


@router.post("/expirations")
async def expire_sessions(
    request: Request,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    reason: _Reason = "",
    confirm: Annotated[str, Form(max_length=100)] = "",
    ids: Annotated[list[str], Form(alias="id", max_length=forms.MAX_CHOSEN)] = [],  # noqa: B006
    q: Annotated[str, Form(max_length=2_100)] = "",
    excepted: Annotated[list[str], Form(alias="except", max_length=1_000)] = [],  # noqa: B006
    by_filter: Annotated[bool, Form()] = False,
    expected: Annotated[int, Form(ge=0, lt=2**31)] = 0,
) -> Response:
    """Expire several sessions; the typed text must name as many as the form showed."""
    urls, directory = urls_of(request), room.directory

    async def again(sent: Sent) -> Response:
        if by_filter:
            form = await forms.expire_matching(directory, urls, q, excepted, sent)
        else:
            form = await forms.expire_chosen(directory, urls, ids, sent)
        return await _again(request, room, actor, form)

    count = expected if by_filter else len(set(ids))
    needs_typing = by_filter or count > forms.TYPED_ABOVE
    if needs_typing and confirm.strip() != f"expire {count}":
        return await again(Sent(reason, typed_error=f"Type exactly: expire {count}"))
    try:
        result = await room.operations.expire(
            actor,
            reason,
            session_ids=() if by_filter else ids,
            query=parse_filter(q) if by_filter else None,
            exclude=excepted,
            expected=count if by_filter else None,
        )
    except Conflict as error:
        return await again(Sent(reason, notice=error.message))
    except InvalidInput as error:
        return await again(Sent(reason, reason_error=error.message))
    return await done(
        request,
        directory,
        result.action_id,
        urls.sessions(q),
        fallback=f"{len(result.expired):,} sessions were expired.",
        clears_selection=True,
    )


async def _again(request: Request, room: CurrentSwitchroom, actor: OperatorActor, form: ExpireForm) -> Response:
    return await render_form(request, room, actor, form, FormPage(expiry=form), "Expire sessions", status=422)
