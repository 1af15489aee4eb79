"""Broadcasts: history, composer, receipt."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ...server.models import DeliveryStatus, Role
from ..compose import Draft, composer_page
from ..contexts import broadcasts as view
from ..contexts.paging import Option, Position, make_pager, parse_position
from ..contexts.shell import Crumb, Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom, OperatorActor
from ..rendering import render_page
from ..templating import urls_of

router = APIRouter()

_PAGE: Final = 50
_RECIPIENTS: Final = 100


@router.get("/broadcasts")
async def list_broadcasts(
    request: Request,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    before: Annotated[str | None, Query(max_length=40)] = None,
    by: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show the broadcasts sent, newest first: operators', or with `by=all` what members of groups sent too."""
    urls, everybody = urls_of(request), by == "all"
    found = await room.directory.broadcasts(limit=_PAGE + 1, before=before, group=None if everybody else "")
    kept = "all" if everybody else ""
    older = urls.broadcasts(by=kept, before=found[_PAGE - 1].id) if len(found) > _PAGE else ""
    choices = (
        Option("Operators'", urls.broadcasts(), not everybody),
        Option("Groups' messages too", urls.broadcasts(by="all"), everybody),
    )
    can_act = actor.role.includes(Role.OPERATOR)
    page = view.make_history(found[:_PAGE], urls, can_act=can_act, older_url=older, choices=choices)
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
    excepted: Annotated[list[str], Query(alias="except", max_length=40)] = [],  # noqa: B006
) -> Response:
    """Show the composer; a list hands over its filter or its chosen rows."""
    default = "filter" if q else "chosen" if ids else "all"
    left_out = exclude or (f"id:{','.join(excepted)}" if excepted else "")
    draft = Draft(audience=audience or default, q=q, exclude=left_out, ids=tuple(ids))
    urls = urls_of(request)
    crumbs = [Crumb("Broadcasts", urls.broadcasts()), Crumb("New broadcast")]
    frame = Frame("broadcast", "New broadcast", crumbs, is_live=False)
    return await render_page(request, room, actor, frame, await composer_page(room, urls, actor, draft))


@router.get("/broadcasts/{broadcast_id}")
async def show_broadcast(
    request: Request,
    broadcast_id: str,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    status: Annotated[str, Query(max_length=20)] = "",
    after: Annotated[str, Query(max_length=40)] = "",
    trail: Annotated[str, Query(max_length=900)] = "",
    start: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> Response:
    """Show a broadcast with its receipt; a status restricts the recipients."""
    urls, directory = urls_of(request), room.directory
    position, live = parse_position(after, trail, start), live_cursor(directory)
    broadcast = await directory.broadcast(broadcast_id)
    chosen = DeliveryStatus(status) if status in view.RECEIPT_LABELS else None
    kept = chosen.value if chosen else ""
    receipts = await directory.receipts(broadcast_id, status=chosen, limit=_RECIPIENTS + 1, after=after)
    shown = receipts[:_RECIPIENTS]

    def address(where: Position) -> str:
        return urls.broadcast(
            broadcast_id, status=kept, after=where.after, trail=" ".join(where.trail), start=where.start or ""
        )

    rows = ",".join(receipt.session_id for receipt in shown)
    page = view.make_page(
        broadcast,
        urls,
        kept,
        can_act=actor.role.includes(Role.OPERATOR),
        rows=view.make_receipts(shown, urls),
        pager=make_pager(
            position,
            shown=len(shown),
            total=broadcast.counts.get(kept, 0) if kept else broadcast.audience,
            size=_RECIPIENTS,
            next_cursor=shown[-1].session_id if len(receipts) > _RECIPIENTS else None,
            address=address,
            noun="recipients",
        ),
        live_link=LiveLink(urls.live("broadcast", id=broadcast.id, status=kept, rows=rows, after=live)),
    )
    crumbs = [Crumb("Broadcasts", urls.broadcasts()), Crumb(broadcast.id, is_code=True)]
    return await render_page(request, room, actor, Frame("broadcast", "Broadcast", crumbs), page)
