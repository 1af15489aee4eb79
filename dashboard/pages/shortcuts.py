"""Small pages: the list of shortcuts, and the field that leads anywhere."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from ...server.errors import NotFound
from ...server.filters import FilterError, parse_filter
from ..contexts.dialogs import FormPage, Shortcuts
from ..deps import CurrentActor, CurrentSwitchroom
from ..rendering import render_form
from ..templating import urls_of

router = APIRouter()

_KEYS: Final = (
    ("/", "Go to a session, client or principal"),
    ("f", "Add a filter"),
    ("j k", "Next and previous row"),
    ("Enter", "Open the row"),
    ("x", "Choose the row; with Shift, the range"),
    ("*", "Choose the whole page"),
    ("e", "Expire what is chosen"),
    ("b", "Broadcast to what is chosen, else to what the filter matches"),
    ("r", "Show what is new"),
    ("Space", "Pause and resume live updates"),
    ("[ ]", "Previous and next session"),
    ("1 8", "Tabs, first to eighth"),
    ("y", "Copy the link"),
    (
        "g",
        "then o, s, c, i, e, b, a, h or u: Overview, Sessions, Clients, Calls, Events, Broadcasts, Audit log, "
        "Health, Operators",
    ),
    ("Esc", "Close, or clear the choice"),
)


@router.get("/shortcuts")
async def show_shortcuts(request: Request, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show the keys."""
    form = Shortcuts(_KEYS)
    return await render_form(request, room, actor, form, FormPage(shortcuts=form), "Shortcuts")


@router.get("/go")
async def go(
    request: Request,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    to: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """Lead to the session of that reference, else to the list that matches."""
    urls, wanted = urls_of(request), to.strip()
    try:
        session = await room.directory.session(wanted.upper())
        return RedirectResponse(urls.session(session.id), status_code=303)
    except NotFound:
        pass
    try:
        query = parse_filter(wanted).text
    except FilterError:
        escaped = wanted.replace("\\", "\\\\").replace('"', '\\"')
        query = f'"{escaped}"'
    return RedirectResponse(urls.sessions(query), status_code=303)
