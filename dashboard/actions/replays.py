"""Sending events of a session again."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from ...server.errors import InvalidInput, Unsupported
from ...server.operations.results import ReplayResult
from .. import forms
from ..contexts.dialogs import FormPage, ReplayDone, ReplayedItem
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_form
from ..templating import urls_of

router = APIRouter()

_SHOWN: Final = 100
_Number = Annotated[str, Form(max_length=12)]


@router.post("/sessions/{session_id}/replays")
async def replay_events(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    choice: Annotated[str, Form(max_length=10)] = "",
    seq: _Number = "",
    after_seq: _Number = "",
    from_seq: _Number = "",
    to_seq: _Number = "",
) -> Response:
    """Replay the chosen events and show what became of each."""
    urls = urls_of(request)
    values = {"choice": choice, "seq": seq, "after_seq": after_seq, "from_seq": from_seq, "to_seq": to_seq}
    try:
        result = await room.operations.replay(actor, session_id, **selection(values))
    except (InvalidInput, Unsupported) as error:
        session = await room.directory.session(session_id)
        form = forms.replay_form(room.directory, urls, session, values=values, error=error.message)
        return await render_form(request, room, actor, form, FormPage(again=form), "Replay", status=422)
    shown = _shown(result, urls.session(session_id))
    return await render_form(request, room, actor, shown, FormPage(replayed=shown), "Replay done")


def selection(values: dict[str, str]) -> dict[str, Any]:
    """Return the one selection the form's choice stands for.

    Raises:
        InvalidInput: A number is missing or is none.
    """
    if values["choice"] == "one":
        return {"seqs": [_number(values["seq"])]}
    if values["choice"] == "after":
        return {"after_seq": _number(values["after_seq"])}
    if values["choice"] == "range":
        return {"from_seq": _number(values["from_seq"]), "to_seq": _number(values["to_seq"])}
    raise InvalidInput("Choose which events to replay.")


def _number(text: str) -> int:
    digits = text.strip().replace(",", "")
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidInput("Give the event's number in digits, as the log shows it.")
    return int(digits)


def _shown(result: ReplayResult, back: str) -> ReplayDone:
    items = tuple(ReplayedItem(item.seq, item.new_seq, item.status, item.reason) for item in result.items[:_SHOWN])
    more = len(result.items) - len(items)
    return ReplayDone(back, result.delivered, result.queued, result.skipped, items, more)
