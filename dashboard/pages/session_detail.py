"""One session: its tabs, its row menu, and the raw payload of one event."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from ...server.attach import Switchroom
from ...server.filters import quote_value
from ...server.models import Actor, Role, Session, SessionKind
from ..contexts import detail as view
from ..contexts.audit import AuditTrail, make_trail
from ..contexts.capabilities import make_capabilities
from ..contexts.history import make_history
from ..contexts.log import payload_text
from ..contexts.menu import RowMenu
from ..contexts.playback import NothingToPlay
from ..contexts.possible import why_no_message, why_no_replay
from ..contexts.sessions import client_name
from ..contexts.shell import Crumb, Frame, LiveLink
from ..contexts.timeline import default_range, parse_range, range_value
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom
from ..log_data import Place, log_panel
from ..playback_data import WantedMoment, playback_panel
from ..queries import LogQuery, WantedEvents
from ..rendering import render_page, render_partial
from ..session_panels import errors_panel, key_rights, keys_panel, resources_panel, streams_panel, summary_panel
from ..templating import urls_of
from ..timeline_data import TimelineData
from ..urls import QueryValue, Urls

router = APIRouter()

_AUDITED = 200


@router.get("/sessions/{session_id}")
async def show_timeline(
    request: Request,
    session_id: str,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    query: WantedEvents,
    wanted: Annotated[str, Query(alias="range", max_length=10)] = "",
) -> Response:
    """Show the swim lanes with the newest events below."""
    urls, session = urls_of(request), await room.directory.session(session_id)
    asked = parse_range(wanted)
    minutes = default_range(session, time.time()) if asked is None else asked
    kept = None if asked is None else wanted
    place = Place(
        session, partial(urls.session, session_id, range=kept), kept=(("range", kept),) if kept is not None else ()
    )
    panel = view.SessionPanel(
        history=make_history(await room.directory.history(session_id)),
        timeline=await TimelineData(room.directory, urls, session_id, minutes, query.kept).draw(session),
        log=await log_panel(room.directory, urls, place, query, can_act=_can_act(actor)),
    )
    return await _respond(request, room, actor, session, "timeline", panel, query, range=range_value(minutes))


@router.get("/sessions/{session_id}/events")
async def show_events(
    request: Request,
    session_id: str,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    query: WantedEvents,
    wanted: WantedMoment,
) -> Response:
    """Show the event log, or one moment of it."""
    urls, session = urls_of(request), await room.directory.session(session_id)
    if wanted.play:
        play = await playback_panel(room.directory, urls, session, query, wanted, can_act=_can_act(actor))
        panel = view.SessionPanel(unplayed=play) if isinstance(play, NothingToPlay) else view.SessionPanel(play=play)
        return await _respond(request, room, actor, session, "events", panel)
    place = Place(session, partial(urls.session, session_id, "events"))
    log = await log_panel(room.directory, urls, place, query, can_act=_can_act(actor))
    return await _respond(request, room, actor, session, "events", view.SessionPanel(log=log), query)


@router.get("/sessions/{session_id}/keys")
async def show_keys(
    request: Request,
    session_id: str,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    search: Annotated[str, Query(max_length=200)] = "",
    view_key: Annotated[str, Query(max_length=500, alias="view")] = "",
) -> Response:
    """Show the stored keys, and one value when it is asked for."""
    session = await room.directory.session(session_id)
    rights = key_rights(actor, session)
    keys = await keys_panel(room, urls_of(request), session, search=search, view=view_key, rights=rights)
    panel = view.SessionPanel(keys=keys)
    return await _respond(request, room, actor, session, "keys", panel, search=search, key=view_key)


@router.get("/sessions/{session_id}/streams")
async def show_streams(request: Request, session_id: str, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show what is open right now."""
    session = await room.directory.session(session_id)
    streams = await streams_panel(room, urls_of(request), session, can_act=_can_act(actor))
    return await _respond(request, room, actor, session, "streams", view.SessionPanel(streams=streams))


@router.get("/sessions/{session_id}/resources")
async def show_resources(request: Request, session_id: str, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show what the session holds open, and who is signed in."""
    session = await room.directory.session(session_id)
    resources = resources_panel(room.directory, urls_of(request), session, can_act=_can_act(actor))
    return await _respond(request, room, actor, session, "resources", view.SessionPanel(resources=resources))


@router.get("/sessions/{session_id}/errors")
async def show_errors(request: Request, session_id: str, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show the session's errors by code."""
    session = await room.directory.session(session_id)
    errors = await errors_panel(room.directory, urls_of(request), session.id)
    return await _respond(request, room, actor, session, "errors", view.SessionPanel(errors=errors))


@router.get("/sessions/{session_id}/capabilities")
async def show_capabilities(
    request: Request, session_id: str, actor: CurrentActor, room: CurrentSwitchroom
) -> Response:
    """Show what client and server declared."""
    directory = room.directory
    session, params = await directory.session(session_id), await directory.initialize_params(session_id)
    result = await directory.initialize_result(session_id) if params is not None else None
    meta = await directory.latest_meta(session_id) if params is None else None
    capabilities = make_capabilities(params, result, meta)
    return await _respond(request, room, actor, session, "capabilities", view.SessionPanel(capabilities=capabilities))


@router.get("/sessions/{session_id}/audit")
async def show_audit(request: Request, session_id: str, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show what operators did to this session."""
    session = await room.directory.session(session_id)
    panel = view.SessionPanel(audit=await _audit(room, session))
    return await _respond(request, room, actor, session, "audit", panel)


@router.get("/sessions/{session_id}/menu")
async def show_menu(request: Request, session_id: str, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Return the menu of a row."""
    session = await room.directory.session(session_id)
    client = client_name(session)
    menu = RowMenu(
        id=session.id,
        client=client,
        can_act=_can_act(actor),
        is_live=session.is_live,
        why_no_replay=why_no_replay(session),
        why_no_message=why_no_message(session),
        same_client_url=urls_of(request).sessions(f"client:{quote_value(session.client_name)}"),
    )
    return render_partial(request, menu)


@router.get("/sessions/{session_id}/events/{seq}/payload")
async def show_payload(
    session_id: str, seq: int, actor: CurrentActor, room: CurrentSwitchroom, raw: bool = False
) -> Response:
    """Return a whole payload as plain text, which no browser renders; `raw` is as it was recorded."""
    event = await room.directory.event(session_id, seq)
    return PlainTextResponse(
        (event.payload or "") if raw else payload_text(event), headers={"Cache-Control": "no-store"}
    )


async def _audit(room: Switchroom, session: Session) -> AuditTrail:
    entries = await room.directory.audit(limit=_AUDITED, target=session.id)
    return make_trail(entries, empty="No operator has acted on this session.")


async def _respond(
    request: Request,
    room: Switchroom,
    actor: Actor,
    session: Session,
    tab: str,
    panel: view.SessionPanel,
    query: LogQuery | None = None,
    **kept: QueryValue,
) -> Response:
    urls = urls_of(request)
    if session.kind is SessionKind.CLIENT:  # receipts and results of actions link to what they know by its id alone
        return RedirectResponse(_client_address(request, urls, session, tab), status_code=303)
    page = view.SessionPage(
        head=view.make_head(session, can_act=_can_act(actor)),
        pill=view.make_pill(session),
        summary=await summary_panel(room, urls, session),
        tabs=view.make_tabs(session, urls, tab, resources=len(room.directory.resources(session.id))),
        panel=panel,
        live_link=_live_link(room, urls, session, tab, panel, query, kept),
    )
    name = client_name(session)
    crumbs = [Crumb("Sessions", urls.sessions()), Crumb(session.id, is_code=True)]
    frame = Frame("sessions", f"{name} {session.id}", crumbs, is_live=bool(page.live_link.url))
    return await render_page(request, room, actor, frame, page)


def _client_address(request: Request, urls: Urls, session: Session, tab: str) -> str:
    if tab == "audit":
        return urls.audit(q=session.id)
    query = request.url.query if tab == "events" else ""
    return f"{urls.client(session.id)}{'?' if query else ''}{query}"


def _live_link(
    room: Switchroom,
    urls: Urls,
    session: Session,
    tab: str,
    panel: view.SessionPanel,
    query: LogQuery | None,
    kept: dict[str, QueryValue],
) -> LiveLink:
    """An ended session changes no more; an older page of the log, or a moment, is for reading, not for following."""
    if not session.is_live or panel.play is not None or panel.unplayed is not None:
        return LiveLink("")
    is_following = panel.log is not None and panel.log.is_following
    newest = panel.log.rows[0].seq if panel.log is not None and panel.log.rows else 0
    position = newest if is_following else session.event_count
    values = query.values() if query is not None and is_following else {}
    look = {**query.look.values(), "sel": query.sel} if query is not None else {}
    shown = {**values, **kept, **look, "log": is_following}
    return LiveLink(urls.live("session", id=session.id, tab=tab, **shown, after=live_cursor(room.directory, position)))


def _can_act(actor: Actor) -> bool:
    return actor.role.includes(Role.OPERATOR)
