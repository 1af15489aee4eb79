"""The log of the whole server: a page that follows it, and downloads of what a filter leaves of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ...server.attach import Switchroom
from ...server.errors import InvalidInput
from ...server.models import ServerEvent, ServerLogPage
from ..contexts import server_log as view
from ..contexts.filterbar import make_bar
from ..contexts.log import make_choices, make_spans
from ..contexts.paging import Option
from ..contexts.shell import Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom
from ..exports import Format, Row, export_response
from ..formatting import iso
from ..jsontext import value_of
from ..queries import EVENTS_SHOWN, ServerEventsQuery, WantedServerEvents
from ..rendering import render_page
from ..templating import urls_of
from ..urls import Urls

router = APIRouter()

_COLUMNS: Final = (
    "id", "at", "session", "client", "seq", "direction", "kind", "method", "request_id", "stream", "size_bytes",
    "duration_ms", "error_code", "related_seq", "payload",
)  # fmt: skip


@router.get("/events")
async def list_server_events(
    request: Request,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    query: WantedServerEvents,
    apply: bool = False,
) -> Response:
    """Show the events of all sessions, newest first; `apply` turns the words being typed into chips."""
    urls, log = urls_of(request), room.directory.log
    if apply and not query.error:
        return RedirectResponse(urls.events(**query.values()), status_code=303)
    # The position first: what is appended while the page is read comes with the first frame.
    newest = await log.newest_id()
    found = ServerLogPage([], None, False)
    if not query.error:
        found = await log.page(query.events()._replace(before=query.log.before or newest + 1), query.sessions)
    page = _page(room, urls, query, found, newest)
    status = 422 if query.error else 200
    return await render_page(request, room, actor, Frame("events", "Events"), page, status=status)


@router.get("/events/export")
async def export_server_events(
    actor: CurrentActor, room: CurrentSwitchroom, query: WantedServerEvents, format: Format = "csv"
) -> Response:
    """Send the events that match as a file, payloads included, newest first."""
    if query.error:
        raise InvalidInput(query.error)

    async def lots() -> AsyncIterator[list[Row]]:
        wanted = query.events()._replace(with_payloads=True)
        async for events in room.directory.log.everything(wanted, query.sessions):
            yield [_exported(each, is_json=format == "json") for each in events]

    return export_response(lots(), _COLUMNS, format, "switchroom-events")


def _page(
    room: Switchroom, urls: Urls, query: ServerEventsQuery, found: ServerLogPage, newest: int
) -> view.ServerLogPage:
    kept = query.values()
    is_following = query.log.before is None and not query.log.times.until and not query.error
    shown = ",".join(str(each.id) for each in found.events)
    link = urls.live("events", **kept, rows=shown, after=live_cursor(room.directory, newest)) if is_following else ""
    return view.ServerLogPage(
        live_link=LiveLink(link),
        bar=make_bar(
            query.asked,
            lambda q: urls.events(**{**kept, "q": q}),
            suggestions_url=urls.suggestions(),
            kept={name: value for name, value in kept.items() if name != "q"},
            hint="Only sessions that match, for example client:claude* or state:live",
        ),
        rows=view.make_server_rows(found.events, urls),
        kinds=make_choices(query.log.kind, kinds=True),
        directions=make_choices(query.log.direction, kinds=False),
        spans=make_spans(query.log.times.within),
        method=query.log.method,
        errors_only=query.log.errors,
        since=query.log.times.since,
        until=query.log.times.until,
        is_filtered=query.is_filtered,
        is_following=is_following,
        keep=EVENTS_SHOWN,
        newest_url=urls.events(**kept) if query.log.before is not None else "",
        older=view.OlderEvents(
            urls.events(**kept, before=found.next_before) if found.next_before is not None else "", found.is_partial
        ),
        exports=tuple(Option(name.upper(), urls.events_export(**kept, format=name), False) for name in ("csv", "json")),
    )


def _exported(logged: ServerEvent, *, is_json: bool) -> Row:
    event = logged.event
    return {
        "id": logged.id,
        "at": iso(event.at),
        "session": logged.session_id,
        "client": logged.client_name,
        "seq": event.seq,
        "direction": event.direction.value,
        "kind": event.kind.value,
        "method": event.method,
        "request_id": value_of(event.request_id),
        "stream": event.stream,
        "size_bytes": event.size_bytes,
        "duration_ms": None if event.duration_us is None else event.duration_us / 1000,
        "error_code": event.error_code,
        "related_seq": event.related_seq,
        "payload": value_of(event.payload) if is_json else event.payload,
    }
