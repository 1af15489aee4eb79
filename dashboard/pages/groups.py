"""Groups of sessions: the list, one of them, and the form before a member is removed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ...server.models import Role
from ..contexts import groups as view
from ..contexts.broadcasts import make_rows
from ..contexts.dialogs import FormPage
from ..contexts.shell import Crumb, Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom, OperatorActor
from ..rendering import render_form, render_page
from ..rule_forms import group_of, remove_form
from ..templating import urls_of

router = APIRouter()

_SHOWN = 200
"""Groups, or members, whose rows the page's stream patches."""
_MESSAGES = 20

Server = Annotated[str, Query(max_length=200)]


@router.get("/groups")
async def list_groups(request: Request, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show the groups by name."""
    urls, position = urls_of(request), live_cursor(room.directory)
    groups = room.directory.rules.groups()
    rows = ",".join(view.group_key(group.server, group.name) for group in groups[:_SHOWN])
    link = LiveLink(urls.live("groups", rows=rows, after=position))
    page = view.make_groups(groups, urls, link, has_servers=len(room.directory.server_names) > 1)
    return await render_page(request, room, actor, Frame("groups", "Groups"), page)


@router.get("/groups/{name}")
async def show_group(
    request: Request, name: str, actor: CurrentActor, room: CurrentSwitchroom, server: Server = ""
) -> Response:
    """Show one group: its members, and what they sent to one another."""
    urls, directory = urls_of(request), room.directory
    position = live_cursor(directory)
    group = group_of(directory, name, server)
    has_servers, can_act = len(directory.server_names) > 1, actor.role.includes(Role.OPERATOR)
    shown_server = group.server if has_servers else ""
    members = directory.rules.members(group)
    query = view.group_query(group, has_servers=has_servers)
    rows = ",".join(session.id for _, session in members[:_SHOWN])
    page = view.GroupPage(
        live_link=LiveLink(urls.live("group", group=name, server=shown_server, rows=rows, after=position)),
        title=group.name,
        server=shown_server,
        since=group.since,
        members=len(members),
        rows=view.make_members(members, group, urls, can_act=can_act, server=shown_server),
        broadcast_url=urls.new_broadcast(audience="filter", q=query) if can_act else "",
        sessions_url=urls.sessions(query),
        messages=make_rows(await directory.broadcasts(limit=_MESSAGES, group=name), urls),
    )
    crumbs = [Crumb("Groups", urls.groups()), Crumb(group.name, is_code=True)]
    return await render_page(request, room, actor, Frame("groups", group.name, crumbs), page)


@router.get("/groups/{name}/members/{session_id}/removal")
async def ask_removal(
    request: Request, name: str, session_id: str, actor: OperatorActor, room: CurrentSwitchroom, server: Server = ""
) -> Response:
    """Ask before a member is removed."""
    form = await remove_form(room.directory, urls_of(request), name, session_id, server)
    return await render_form(request, room, actor, form, FormPage(removal=form), "Remove from group")
