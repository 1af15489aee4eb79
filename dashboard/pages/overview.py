"""The overview."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ...server.filters import parse_filter
from .. import overview_data as data
from ..contexts.overview import OverviewPage, make_latest
from ..contexts.shell import Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom
from ..rendering import mcp_endpoint, render_page
from ..templating import urls_of

router = APIRouter()

_LATEST = 6


@router.get("", include_in_schema=False)
async def without_slash(request: Request) -> Response:
    """Lead to the overview from the address people type."""
    return RedirectResponse(urls_of(request).overview())


@router.get("/")
async def show_overview(request: Request, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show what there is now, what needs somebody, and what operators did last."""
    urls, directory = urls_of(request), room.directory
    position = live_cursor(directory)
    latest = (await directory.sessions(parse_filter(""), limit=_LATEST)).items
    rows = ",".join(session.id for session in latest)
    page = OverviewPage(
        live_link=LiveLink(urls.live("overview", rows=rows, after=position)),
        strip=await data.numbers(directory, urls),
        facets=await data.states(directory, urls),
        attention=await data.attention(directory, urls),
        recent=await data.recent(directory, urls),
        rows=make_latest(latest),
        endpoint=mcp_endpoint(request),
    )
    return await render_page(request, room, actor, Frame("overview", "Overview"), page)
