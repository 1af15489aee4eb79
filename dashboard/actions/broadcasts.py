"""Writing to many: what a draft amounts to, trying it on one session, sending it, stopping it."""

from __future__ import annotations

import time
from typing import Annotated, Final

import anyio
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.attach import Switchroom
from ...server.errors import InvalidInput, NotFound
from ...server.models import Actor, Broadcast, DeliveryStatus
from ...server.operations.wording import LOGGER
from ..compose import Draft, composer_page
from ..contexts.shell import Crumb, Frame
from ..deps import CurrentSwitchroom, OperatorActor
from ..rendering import render_page
from ..templating import html_response, is_partial_request, templates_of, urls_of

router = APIRouter()

_TRIAL_SECONDS: Final = 1.0
"""How long the page waits for a trial to be written."""


def submitted_draft(
    audience: Annotated[str, Form(max_length=20)] = "all",
    q: Annotated[str, Form(max_length=2_100)] = "",
    exclude: Annotated[str, Form(max_length=2_100)] = "",
    group: Annotated[str, Form(max_length=400)] = "",
    ids: Annotated[list[str], Form(alias="id", max_length=1_000)] = [],  # noqa: B006
    method: Annotated[str, Form(max_length=60)] = "notifications/message",
    text: Annotated[str, Form(max_length=100_000)] = "",
    level: Annotated[str, Form(max_length=20)] = "info",
    logger: Annotated[str, Form(max_length=200)] = LOGGER,
    data_format: Annotated[str, Form(alias="format", max_length=10)] = "text",
    waits: Annotated[str, Form(max_length=10)] = "queue",
    minutes: Annotated[str, Form(max_length=10)] = "",
    idempotency_key: Annotated[str, Form(max_length=100)] = "",
    trial: Annotated[str, Form(max_length=40)] = "",
    trial_key: Annotated[str, Form(max_length=100)] = "",
) -> Draft:
    """Return the composer's fields as they were sent."""
    return Draft(
        audience,
        q,
        exclude,
        group,
        tuple(ids),
        method,
        text,
        level,
        logger,
        data_format,
        waits,
        minutes,
        idempotency_key,
        trial,
        trial_key,
    )


WantedDraft = Annotated[Draft, Depends(submitted_draft)]


@router.post("/broadcasts")
async def send_broadcast(
    request: Request, actor: OperatorActor, room: CurrentSwitchroom, draft: WantedDraft
) -> Response:
    """Start a broadcast and lead to its receipt, which fills while it goes out."""
    try:
        sent = await room.operations.broadcast(actor, **draft.sending(), idempotency_key=draft.idempotency_key or None)
    except (InvalidInput, NotFound) as error:
        return await _composer(request, room, actor, draft, error=error.message, status=422)
    return RedirectResponse(urls_of(request).broadcast(sent.id), status_code=303)


@router.post("/broadcasts/trial")
async def try_broadcast(
    request: Request, actor: OperatorActor, room: CurrentSwitchroom, draft: WantedDraft
) -> Response:
    """Send the message to the one session that was chosen for that, and show what came of it."""
    try:
        sent = await room.operations.broadcast(
            actor,
            **draft.wording._asdict(),
            session_ids=[draft.trial] if draft.trial else [],
            is_queued=draft.is_queued,
            ttl_seconds=draft.ttl_seconds(),
            idempotency_key=f"trial {draft.trial_key}" if draft.trial_key else None,
            is_trial=True,
        )
    except (InvalidInput, NotFound) as error:
        return await _composer(request, room, actor, draft, error=error.message, status=422)
    return await _composer(request, room, actor, draft, tried=await _settled(room, sent))


@router.post("/broadcasts/preview")
async def preview_broadcast(
    request: Request, actor: OperatorActor, room: CurrentSwitchroom, draft: WantedDraft
) -> Response:
    """Show whom a draft reaches and what each era receives; nothing is sent."""
    if not is_partial_request(request):
        return await _composer(request, room, actor, draft)
    page = await composer_page(room, urls_of(request), actor, draft)
    templates = templates_of(request)
    parts = (("audience-note", templates.render(page.reach)), ("review", templates.render(page.review)))
    swapped = (f'<hx-partial hx-target="#{name}" hx-swap="outerMorph">{html}</hx-partial>' for name, html in parts)
    return html_response("".join(swapped))


@router.post("/broadcasts/{broadcast_id}/stop")
async def stop_broadcast(
    request: Request, broadcast_id: str, actor: OperatorActor, room: CurrentSwitchroom
) -> Response:
    """Stop sending; what was sent stays sent."""
    stopped = await room.operations.stop_broadcast(actor, broadcast_id)
    return RedirectResponse(urls_of(request).broadcast(stopped.id), status_code=303)


async def _composer(
    request: Request,
    room: Switchroom,
    actor: Actor,
    draft: Draft,
    *,
    error: str = "",
    tried: Broadcast | None = None,
    status: int = 200,
) -> Response:
    urls = urls_of(request)
    page = await composer_page(room, urls, actor, draft, error=error, tried=tried)
    crumbs = [Crumb("Broadcasts", urls.broadcasts()), Crumb("New broadcast")]
    frame = Frame("broadcast", "New broadcast", crumbs, is_live=False)
    return await render_page(request, room, actor, frame, page, status=status)


async def _settled(room: Switchroom, sent: Broadcast) -> Broadcast:
    """Return a trial once it was written, or after a second."""
    deadline = time.monotonic() + _TRIAL_SECONDS
    while True:
        now = await room.directory.broadcast(sent.id)
        if not now.counts.get(DeliveryStatus.PENDING.value) or time.monotonic() > deadline:
            return now
        await anyio.sleep(0.02)
