"""Clients of the 2026-07-28 era: the list, and one of them."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ...server.models import Era, Role, SessionKind
from ..client_rows import client_rows, handles_url
from ..contexts import clients as view
from ..contexts.sessions import client_hue, client_letter, client_name
from ..contexts.shell import Crumb, Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom
from ..log_data import Place, log_panel
from ..queries import WantedEvents
from ..rendering import render_page
from ..session_panels import streams_panel, summary_panel
from ..templating import urls_of

router = APIRouter()


@router.get("/clients")
async def list_clients(request: Request, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show the clients, the last heard first."""
    urls, position = urls_of(request), live_cursor(room.directory)
    clients = await room.directory.clients()
    rows = ",".join(session.id for session in clients[:200])
    link = LiveLink(urls.live("clients", rows=rows, after=position))
    page = view.make_clients(
        client_rows(room.directory, clients, urls),
        link,
        urls.sessions("kind:handle"),
        has_stateless=any(session.era is Era.HANDSHAKE for session in clients),
    )
    return await render_page(request, room, actor, Frame("clients", "Clients"), page)


@router.get("/clients/{client_id}")
async def show_client(
    request: Request, client_id: str, actor: CurrentActor, room: CurrentSwitchroom, query: WantedEvents
) -> Response:
    """Show one client: its numbers, listen streams, calls in flight and events."""
    urls, directory = urls_of(request), room.directory
    session = await directory.session(client_id)
    if session.kind is not SessionKind.CLIENT:
        return RedirectResponse(urls.session(session.id), status_code=303)
    place = Place(session, partial(urls.client, session.id), region="client")
    log = await log_panel(directory, urls, place, query, can_act=False)
    newest = log.rows[0].seq if log.rows else 0
    values = {**query.values(), **query.look.values(), "sel": query.sel, "log": log.is_following, "client": True}
    position = live_cursor(directory, newest if log.is_following else session.event_count)
    name = client_name(session)
    page = view.ClientPage(
        live_link=LiveLink(urls.live("session", id=session.id, tab="events", **values, after=position)),
        id=session.id,
        can_act=actor.role.includes(Role.OPERATOR),
        client=name,
        version=session.client_version,
        letter=client_letter(name),
        hue=client_hue(name),
        is_identified=session.principal is not None,
        is_modern=session.era is Era.MODERN,
        handles_url=handles_url(urls, session),
        summary=await summary_panel(room, urls, session),
        opened=await streams_panel(room, urls, session, can_act=actor.role.includes(Role.OPERATOR)),
        log=log,
    )
    crumbs = [Crumb("Clients", urls.clients()), Crumb(name)]
    return await render_page(request, room, actor, Frame("clients", name, crumbs), page)
