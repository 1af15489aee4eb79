"""Errors of the whole server, by code."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ...server.directory import ERRORS_READ
from ..contexts.failures import FailuresPage, make_failures
from ..contexts.shell import Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom
from ..rendering import render_page
from ..templating import urls_of

router = APIRouter()


@router.get("/errors")
async def list_errors(request: Request, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show the newest errors of all sessions and clients in groups."""
    urls, position = urls_of(request), live_cursor(room.directory)
    groups = await room.directory.errors()
    found = make_failures(groups, urls, most=ERRORS_READ, of_session=False)
    page = FailuresPage(found, LiveLink(urls.live("errors", after=position)))
    return await render_page(request, room, actor, Frame("errors", "Errors"), page)
