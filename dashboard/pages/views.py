"""Saved views: where they are renamed and deleted."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..contexts.shell import Crumb, Frame
from ..contexts.views import ViewsPage, make_links
from ..deps import CurrentAccounts, CurrentActor, CurrentSwitchroom
from ..rendering import render_page
from ..templating import urls_of

router = APIRouter()


@router.get("/views")
async def list_views(
    request: Request, actor: CurrentActor, room: CurrentSwitchroom, accounts: CurrentAccounts
) -> Response:
    """Show the views that the operator has or that others share."""
    urls = urls_of(request)
    page = ViewsPage(make_links(await accounts.views.visible_to(actor.name), actor.name, urls), "")
    crumbs = [Crumb("Sessions", urls.sessions()), Crumb("Saved views")]
    return await render_page(request, room, actor, Frame("sessions", "Saved views", crumbs, is_live=False), page)
