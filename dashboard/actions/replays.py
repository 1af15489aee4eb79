"""Sending events of a session again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from ...server.errors import InvalidInput, Unsupported
from .. import replaying
from ..contexts.dialogs import FormPage
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_form
from ..templating import urls_of

router = APIRouter()

_Number = Annotated[str, Form(max_length=12)]


@router.post("/sessions/{session_id}/replays")
async def replay_events(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    choice: Annotated[str, Form(max_length=10)] = "",
    seq: _Number = "",
    from_seq: _Number = "",
    range_from: _Number = "",
    range_to: _Number = "",
    stream: _Number = "",
) -> Response:
    """Replay the chosen events and show what became of each."""
    urls = urls_of(request)
    given = (choice, seq, from_seq, range_from, range_to, stream)
    values = dict(zip(replaying.FIELDS, given, strict=True))
    try:
        result = await room.operations.replay(actor, session_id, **replaying.selection(values))
    except (InvalidInput, Unsupported) as error:
        session = await room.directory.session(session_id)
        form = await replaying.replay_form(room, urls, session, values, error=error.message)
        return await render_form(request, room, actor, form, FormPage(again=form), "Replay", status=422)
    shown = replaying.make_done(result, urls.session(session_id))
    return await render_form(request, room, actor, shown, FormPage(replayed=shown), "Replay done")
