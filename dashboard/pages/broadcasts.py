"""Broadcasts: history, composer, receipt."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ...server.models import DeliveryStatus, Role
from ..compose import Draft, composer_page
from ..contexts import broadcasts as view
from ..contexts.shell import Crumb, Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom, OperatorActor
from ..rendering import render_page
from ..templating import urls_of

router = APIRouter()

_PAGE = 50
_RECIPIENTS = 200


@router.get("/broadcasts")
async def list_broadcasts(
    request: Request,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    before: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Show the broadcasts sent, newest first."""
    urls = urls_of(request)
    found = await room.directory.broadcasts(limit=_PAGE + 1, before=before)
    older = urls.broadcasts(before=found[_PAGE - 1].id) if len(found) > _PAGE else ""
    page = view.make_history(found[:_PAGE], urls, can_act=actor.role.includes(Role.OPERATOR), older_url=older)
    return await render_page(request, room, actor, Frame("broadcast", "Broadcasts", is_live=False), page)


@router.get("/broadcasts/new")
async def compose_broadcast(
    request: Request,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    audience: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=2_100)] = "",
    exclude: Annotated[str, Query(max_length=2_100)] = "",
    ids: Annotated[list[str], Query(alias="id", max_length=1_000)] = [],  # noqa: B006
    all_matching: Annotated[bool, Query(alias="all")] = False,
    excepted: Annotated[list[str], Query(alias="except", max_length=40)] = [],  # noqa: B006
) -> Response:
    """Show the composer; a list hands over its filter or its chosen rows."""
    default = "filter" if q or all_matching else "chosen" if ids else "all"
    left_out = exclude or (f"id:{','.join(excepted)}" if excepted else "")
    draft = Draft(audience=audience or default, q=q, exclude=left_out, ids=tuple(ids))
    urls = urls_of(request)
    crumbs = [Crumb("Broadcasts", urls.broadcasts()), Crumb("New broadcast")]
    frame = Frame("broadcast", "New broadcast", crumbs, is_live=False)
    return await render_page(request, room, actor, frame, await composer_page(room, draft))


@router.get("/broadcasts/{broadcast_id}")
async def show_broadcast(
    request: Request,
    broadcast_id: str,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    status: Annotated[str, Query(max_length=20)] = "",
    after: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show a broadcast with its receipt."""
    urls, directory = urls_of(request), room.directory
    position = live_cursor(directory)
    broadcast = await directory.broadcast(broadcast_id)
    chosen = DeliveryStatus(status) if status in view.RECEIPT_LABELS else None
    receipts = await directory.receipts(broadcast_id, status=chosen, limit=_RECIPIENTS + 1, after=after)
    shown = receipts[:_RECIPIENTS]
    kept = chosen.value if chosen else ""
    older = urls.broadcast(broadcast_id, status=kept, after=shown[-1].session_id) if len(receipts) > _RECIPIENTS else ""
    page = view.BroadcastPage(
        id=broadcast.id,
        at=broadcast.created_at,
        actor=broadcast.actor,
        level=broadcast.level,
        text=broadcast.text,
        audience=view.audience_words(broadcast),
        expires_at=broadcast.expires_at,
        can_stop=broadcast.status == "sending" and actor.role.includes(Role.OPERATOR),
        stop_url=urls.broadcast_stop(broadcast.id),
        receipt=view.make_receipt(broadcast, urls, kept),
        rows=view.make_receipts(shown, urls),
        shown=view.RECEIPT_LABELS[kept][0] if kept else "",
        older_url=older,
        live_link=LiveLink(urls.live("broadcast", id=broadcast.id, status=kept, after=position)),
    )
    crumbs = [Crumb("Broadcasts", urls.broadcasts()), Crumb(broadcast.id, is_code=True)]
    return await render_page(request, room, actor, Frame("broadcast", "Broadcast", crumbs), page)
