"""The sessions list."""

from __future__ import annotations

import time
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ...server.accounts import SavedView
from ...server.attach import Switchroom
from ...server.filters import parse_filter
from ...server.models import Actor, Role, SessionPage
from ..contexts import sessions as view
from ..contexts.columns import Chooser, make_chooser, make_columns
from ..contexts.filterbar import kept_parts, make_bar
from ..contexts.paging import PAGE_SIZES, Option, Pager, make_pager
from ..contexts.shell import Frame, LiveLink
from ..contexts.views import SavedViews, make_links
from ..cursors import live_cursor
from ..deps import CurrentAccounts, CurrentActor, CurrentSwitchroom
from ..queries import DEFAULT_SIZE, SessionQuery, WantedSessions
from ..rendering import mcp_endpoint, render_page
from ..templating import urls_of
from ..urls import Urls

router = APIRouter()


@router.get("/sessions")
async def list_sessions(
    request: Request,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    accounts: CurrentAccounts,
    wanted: WantedSessions,
    apply: bool = False,
) -> Response:
    """Show the sessions that match; `apply` turns the words being typed into chips."""
    urls = urls_of(request)
    if apply and not wanted.asked.error:
        return RedirectResponse(wanted.address(urls, wanted.q), status_code=303)
    views = await accounts.views.visible_to(actor.name)
    page = await _page(room, urls, wanted, actor, views, mcp_endpoint(request))
    status = 422 if wanted.asked.error else 200
    return await render_page(request, room, actor, Frame("sessions", "Sessions"), page, status=status)


async def _page(
    room: Switchroom, urls: Urls, wanted: SessionQuery, actor: Actor, views: Sequence[SavedView], endpoint: str
) -> view.SessionsPage:
    directory, query = room.directory, wanted.asked.filter
    can_act = actor.role.includes(Role.OPERATOR)
    # The position first: what changes while the page is being read comes again with the first frame.
    position, read_at = live_cursor(directory), int(time.time() * 1000)
    found = await directory.sessions(query, sort=wanted.sort, limit=wanted.size, cursor=wanted.position.after or None)
    counts = found.by_status
    everything = counts if not query.terms else (await directory.tally(parse_filter(""))).by_status

    def address(q: str) -> str:
        return wanted.address(urls, q)

    return view.SessionsPage(
        q=query.text,
        live=view.live_count(everything),
        kept=sum(everything.values()),
        kept_for=f"{room.settings.ended_session_seconds / 3600:g} h",
        can_act=can_act,
        facets=view.make_facets(counts, query, address),
        bar=make_bar(wanted.asked, address, suggestions_url=urls.suggestions(), kept=wanted.kept),
        live_link=_live_link(urls, wanted, found, position, read_at),
        rows=view.make_rows(found.items, can_act=can_act, shown=wanted.columns),
        columns=make_columns(wanted.sort, lambda sort: wanted.address(urls, query.text, sort=sort), wanted.columns),
        chooser=_chooser(urls, wanted),
        is_compact=wanted.is_compact,
        saved=_saved(urls, wanted, actor, views),
        pending=view.Pending(0, address(query.text)),
        pager=_pager(urls, wanted, found),
        endpoint=endpoint,
        exports=tuple(
            Option(form.upper(), urls.sessions_export(q=query.text, format=form), False) for form in ("csv", "json")
        ),
    )


def _chooser(urls: Urls, wanted: SessionQuery) -> Chooser:
    kept = {"q": wanted.q, "sort": wanted.sort_value, "size": wanted.size_value}
    usual_url = wanted.address(urls, wanted.q, cols="", density="")
    return make_chooser(wanted.columns, kept_parts(kept), is_compact=wanted.is_compact, usual_url=usual_url)


def _saved(urls: Urls, wanted: SessionQuery, actor: Actor, views: Sequence[SavedView]) -> SavedViews:
    query = wanted.address(urls, wanted.q).partition("?")[2]
    return SavedViews(make_links(views, actor.name, urls, query), query, can_save=actor.kind == "operator")


def _live_link(urls: Urls, wanted: SessionQuery, found: SessionPage, position: str, read_at: int) -> LiveLink:
    """The stream is told which rows are on the page, how many matched, and since when to count new ones."""
    return LiveLink(
        urls.live(
            "sessions",
            q=wanted.q,
            sort=wanted.sort_value,
            size=wanted.size_value,
            cols=wanted.kept["cols"],
            density=wanted.kept["density"],
            total=found.total,
            at=read_at,
            rows=",".join(session.id for session in found.items),
            after=position,
        )
    )


def _pager(urls: Urls, wanted: SessionQuery, found: SessionPage) -> Pager:
    sizes = [
        Option(
            str(size),
            wanted.address(urls, wanted.q, size="" if size == DEFAULT_SIZE else str(size)),
            size == wanted.size,
        )
        for size in PAGE_SIZES
    ]
    return make_pager(
        wanted.position,
        shown=len(found.items),
        total=found.total,
        size=wanted.size,
        next_cursor=found.next_cursor,
        address=lambda position: wanted.address(urls, wanted.q, position),
        sizes=sizes,
    )
