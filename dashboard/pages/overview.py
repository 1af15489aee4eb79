"""The overview."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from ...server.directory import range_named
from .. import overview_data as data
from ..contexts.charts import make_charts, make_ranges
from ..contexts.overview import OverviewPage
from ..contexts.shell import Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom
from ..rendering import mcp_endpoint, render_page
from ..templating import urls_of

router = APIRouter()


@router.get("", include_in_schema=False)
async def without_slash(request: Request) -> Response:
    """Lead to the overview from the address people type."""
    return RedirectResponse(urls_of(request).overview())


@router.get("/")
async def show_overview(
    request: Request,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    range_: Annotated[str, Query(alias="range", max_length=8)] = "",
) -> Response:
    """Show what there is now, how it has been, what needs somebody, and what operators did last."""
    urls, directory = urls_of(request), room.directory
    position = live_cursor(directory)
    trends = directory.trends(range_named(range_))
    facets = await data.states(directory, urls)
    has_sessions = any(facet.count for facet in facets.items)
    page = OverviewPage(
        live_link=LiveLink(urls.live("overview", range_=trends.range.name, after=position)),
        ranges=make_ranges(trends.range.name, urls),
        strip=data.numbers(directory, trends, urls),
        facets=facets,
        charts=make_charts(trends, urls),
        attention=await data.attention(room, urls),
        recent=await data.recent(directory, urls),
        endpoint="" if has_sessions else mcp_endpoint(request),
    )
    return await render_page(request, room, actor, Frame("overview", "Overview"), page)
