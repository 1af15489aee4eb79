"""Expiring sessions and cancelling their calls: one, chosen ones, or all that a filter matches."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from ...server.errors import Conflict, InvalidInput
from ...server.filters import parse_filter
from ...server.operations import Job
from ..bulk_forms import MAX_CHOSEN, TYPED_ABOVE, Asked, Sent, Verb, bulk_form, confirmation, expire_one
from ..contexts.dialogs import FormPage
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_form
from ..rule_forms import WantedBlock
from ..templating import urls_of
from ._results import done, leave_for

router = APIRouter()

_MAX_REASON = 2_000
_Reason = Annotated[str, Form(max_length=_MAX_REASON)]


class Submitted:
    """What the form for many sessions sends."""

    def __init__(
        self,
        reason: _Reason = "",
        confirm: Annotated[str, Form(max_length=100)] = "",
        ids: Annotated[list[str], Form(alias="id", max_length=MAX_CHOSEN)] = [],  # noqa: B006
        q: Annotated[str, Form(max_length=2_100)] = "",
        excepted: Annotated[list[str], Form(alias="except", max_length=1_000)] = [],  # noqa: B006
        by_filter: Annotated[bool, Form()] = False,
        expected: Annotated[int, Form(ge=0, lt=2**31)] = 0,
        pace: Annotated[str, Form(max_length=20)] = "",
        what: Annotated[str, Form(max_length=400)] = "",
        seconds: Annotated[str, Form(max_length=10)] = "",
    ) -> None:
        self.reason = reason
        self.confirm = confirm
        self.asked = Asked(tuple(ids), q, tuple(excepted), by_filter)
        self.count = expected if by_filter else len(set(ids))
        self.pace = pace.strip()
        self.what = what
        self.block = WantedBlock(what=what, seconds=seconds) if what else None

    def per_second(self) -> float | None:
        """Return the pace; `None` means the setting.

        Raises:
            InvalidInput: It is no number.
        """
        if not self.pace:
            return None
        try:
            return float(self.pace)
        except ValueError:
            raise InvalidInput("Write the pace as a number of sessions per second.", field="per_second") from None


WantedSubmission = Annotated[Submitted, Depends()]


@router.post("/sessions/{session_id}/expiration")
async def expire_session(
    request: Request,
    session_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    reason: _Reason = "",
    what: Annotated[str, Form(max_length=400)] = "",
    seconds: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Expire one session, and first block whoever holds it where that is wanted."""
    urls = urls_of(request)
    try:
        if what:
            wanted = WantedBlock(what=what, seconds=seconds)
            await room.operations.block(actor, *wanted.target(), reason, seconds=wanted.duration())
        result = await room.operations.expire(actor, reason, session_ids=[session_id])
    except InvalidInput as error:
        session = await room.directory.session(session_id)
        form = await expire_one(room, urls, session, Sent(reason, reason_error=error.message, what=what))
        return await render_form(request, room, actor, form, FormPage(expiry=form), "Expire session", status=422)
    back = urls.session(session_id)
    return await done(request, room.directory, result.action_id, back, fallback="The session was expired.")


@router.post("/expirations")
async def expire_sessions(
    request: Request, actor: OperatorActor, room: CurrentSwitchroom, sent: WantedSubmission
) -> Response:
    """Expire several sessions; the typed text must name as many as the form showed."""
    return await _act(request, actor, room, sent, "expire")


@router.post("/calls/cancellations")
async def cancel_calls(
    request: Request, actor: OperatorActor, room: CurrentSwitchroom, sent: WantedSubmission
) -> Response:
    """Cancel every call in flight of several sessions, on the same terms."""
    return await _act(request, actor, room, sent, "cancel")


async def _act(
    request: Request, actor: OperatorActor, room: CurrentSwitchroom, sent: Submitted, verb: Verb
) -> Response:
    async def again(**wrong: str) -> Response:
        form = bulk_form(
            room, urls_of(request), verb, sent.asked, Sent(sent.reason, sent.pace, what=sent.what, **wrong)
        )
        return await render_form(request, room, actor, form, FormPage(expiry=form), form.title, status=422)

    needs_typing = sent.asked.is_by_filter or sent.count > TYPED_ABOVE
    if needs_typing and sent.confirm.strip() != confirmation(verb, sent.count):
        return await again(typed_error=f"Type exactly: {confirmation(verb, sent.count)}")
    try:
        job = await _start(room, actor, sent, verb)
    except Conflict as error:
        return await again(notice=error.message + (" The block is in force." if sent.block is not None else ""))
    except InvalidInput as error:
        return await again(**{"notice" if error.detail.get("field") == "per_second" else "reason_error": error.message})
    return await _respond(request, room, job, sent)


async def _start(room: CurrentSwitchroom, actor: OperatorActor, sent: Submitted, verb: Verb) -> Job:
    asked, operations = sent.asked, room.operations
    start = operations.start_expiring if verb == "expire" else operations.start_cancelling
    pace = sent.per_second()
    if sent.block is not None and verb == "expire":
        # In force first, as with one session; it stays when the sessions then turn out to be too many.
        await operations.block(actor, *sent.block.target(), sent.reason, seconds=sent.block.duration())
    return await start(
        actor,
        sent.reason,
        session_ids=() if asked.is_by_filter else asked.ids,
        query=parse_filter(asked.q) if asked.is_by_filter else None,
        exclude=asked.excepted,
        expected=sent.count if asked.is_by_filter else None,
        per_second=pace,
    )


async def _respond(request: Request, room: CurrentSwitchroom, job: Job, sent: Submitted) -> Response:
    """A long job has a page that shows how far it is; a short one is waited for."""
    urls = urls_of(request)
    if job.is_long:
        return leave_for(request, urls.job(job.id), clears_selection=True)
    await job.ended.wait()
    return await done(
        request,
        room.directory,
        job.id,
        urls.sessions(sent.asked.q),
        fallback=f"{job.counts['done']:,} of {job.total:,} sessions.",
        clears_selection=True,
    )
