"""What a session's page shows, read from the directory: the page and its live stream build the same contexts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from ..server.attach import Switchroom
from ..server.directory import ERRORS_READ, Directory
from ..server.errors import NotFound
from ..server.models import Actor, Event, Role, Session
from .contexts.detail import Summary, make_summary
from .contexts.failures import FailureList, make_failures
from .contexts.keys import KeyList, KeyRights, make_keys
from .contexts.log import EventRow, Inspector, Log, make_choices, make_inspector, make_rows, methods_in
from .contexts.possible import no_stream
from .contexts.resources import ResourceList, make_resources
from .contexts.streams import StreamList, make_streams
from .queries import EVENTS_SHOWN, LogQuery
from .urls import QueryValue, Urls


class Place(NamedTuple):
    """Whose log is shown and at which address."""

    session: Session
    address: Callable[..., str]
    """Turns query values into the page's address."""

    @property
    def id(self) -> str:
        return self.session.id


async def summary_panel(room: Switchroom, urls: Urls, session: Session) -> Summary:
    """Return facts and numbers."""
    directory = room.directory
    return make_summary(
        session,
        urls,
        now=time.time(),
        latency=await directory.latency(session.id),
        calls=directory.in_flight(session.id),
        keys=await directory.keys(session.id) if session.key_count else (),
        max_streams=room.settings.max_streams,
        max_key_bytes=room.settings.max_total_value_bytes,
    )


async def log_panel(directory: Directory, urls: Urls, place: Place, query: LogQuery, *, can_replay: bool) -> Log:
    """Return one page of the log, newest first, with the chosen event beside it."""
    page = await directory.events(place.id, query.events())
    kept = query.values()
    chosen = await _inspector(directory, urls, place, query, can_replay=can_replay)
    oldest = page.events[-1].seq if page.events else None
    return Log(
        action=place.address(),
        rows=log_rows(directory, place, query, page.events),
        kinds=make_choices(query.kind, kinds=True),
        directions=make_choices(query.direction, kinds=False),
        method=query.method,
        methods=methods_in(page.events, query.method),
        errors_only=query.errors,
        is_filtered=query.is_filtered,
        is_following=query.before is None and place.session.is_live,
        keep=EVENTS_SHOWN,
        dropped=place.session.trimmed_seq if not page.has_more and page.events else 0,
        newest_url=place.address(**kept) if query.before is not None else "",
        older_url=place.address(**kept, before=oldest) if page.has_more else "",
        clear_url=place.address(),
        inspected=chosen,
    )


def log_rows(
    directory: Directory, place: Place, query: LogQuery, events: list[Event], *, known: list[Event] | None = None
) -> tuple[EventRow, ...]:
    """Return rows for these events, in their order."""
    return make_rows(
        events,
        calls=directory.in_flight(place.id),
        address=_sel_address(place, query),
        chosen=query.sel,
        known=known or (),
    )


async def _inspector(
    directory: Directory, urls: Urls, place: Place, query: LogQuery, *, can_replay: bool
) -> Inspector | None:
    if query.sel is None:
        return None
    try:
        event = await directory.event(place.id, query.sel)
    except NotFound:
        return None
    return make_inspector(event, urls, place.id, _sel_address(place, query), can_replay=can_replay)


def _sel_address(place: Place, query: LogQuery) -> Callable[[int], str]:
    kept: dict[str, QueryValue] = {**query.values(), "before": query.before}
    return lambda seq: place.address(**kept, sel=seq)


def key_rights(actor: Actor, session: Session) -> KeyRights:
    """Return what the operator may do to the keys of a session; those of an ended one are gone."""
    may_reveal = actor.role.includes(Role.ADMIN) and actor.kind == "operator"
    return KeyRights(actor.role.includes(Role.OPERATOR) and session.is_live, may_reveal and session.is_live)


async def keys_panel(
    room: Switchroom,
    urls: Urls,
    session: Session,
    *,
    search: str = "",
    view: str = "",
    rights: KeyRights | None = None,
) -> KeyList:
    """Return the stored keys; the value of `view` is read only because it was asked for."""
    keys = await room.directory.keys(session.id)
    shown = await room.directory.key(session.id, view) if any(key.name == view for key in keys) else None
    limit = room.settings.max_total_value_bytes
    return make_keys(keys, urls, session.id, search=search, shown=shown, max_bytes=limit, rights=rights or KeyRights())


def streams_panel(directory: Directory, urls: Urls, session: Session, *, can_act: bool) -> StreamList:
    """Return what is open right now."""
    return make_streams(
        directory.streams(session.id),
        directory.in_flight(session.id),
        urls,
        session,
        can_act=can_act,
        era_note=no_stream(session),
    )


def resources_panel(directory: Directory, urls: Urls, session: Session, *, can_act: bool) -> ResourceList:
    """Return what the session holds open."""
    return make_resources(session, directory.resources(session.id), urls, can_act=can_act)


async def errors_panel(directory: Directory, urls: Urls, session_id: str) -> FailureList:
    """Return the session's errors by code."""
    return make_failures(await directory.errors(session_id), urls, most=ERRORS_READ, of_session=True)
