"""What a session's page shows, read from the directory: the page and its live stream build the same contexts."""

from __future__ import annotations

import time

from ..server.attach import Switchroom
from ..server.directory import ERRORS_READ, Directory
from ..server.models import Actor, EventKind, Role, Session, SessionKind
from ..server.store.base import EventQuery
from .contexts.detail import Summary, make_summary
from .contexts.failures import FailureList, make_failures
from .contexts.keys import KeyList, KeyRights, make_keys
from .contexts.possible import no_stream
from .contexts.resources import ResourceList, make_resources
from .contexts.streams import StreamList, make_calls, make_stream_row, read_openings, stream_trouble
from .health_data import cut_sentence
from .urls import Urls

_STREAM_EVENTS = 200
"""Newest openings and closings that are looked at."""


async def summary_panel(room: Switchroom, urls: Urls, session: Session) -> Summary:
    """Return facts and numbers."""
    directory, settings = room.directory, room.settings
    is_client = session.kind is SessionKind.CLIENT
    return make_summary(
        session,
        urls,
        now=time.time(),
        latency=await directory.latency(session.id),
        last_error_at=await directory.last_error_at(session.id) if session.error_count else None,
        calls=directory.in_flight(session.id),
        keys=await directory.keys(session.id) if session.key_count else (),
        max_streams=settings.max_listen_streams if is_client else settings.max_streams,
        max_key_bytes=settings.max_total_value_bytes,
    )


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


async def streams_panel(room: Switchroom, urls: Urls, session: Session, *, can_act: bool) -> StreamList:
    """Return what is open right now, what has ended lately, and what cuts streams from outside."""
    directory, settings, now = room.directory, room.settings, time.time()
    told = await directory.events(
        session.id, EventQuery(kinds=(EventKind.STREAM,), limit=_STREAM_EVENTS, newest_first=True)
    )
    openings = read_openings(told.events[::-1])
    cut = directory.vitals().stream_cut
    return StreamList(
        streams=tuple(
            make_stream_row(
                stream,
                urls,
                session,
                gap=openings.gaps.get(stream.stream),
                trouble=stream_trouble(stream, now, settings.send_timeout_seconds),
                can_act=can_act,
            )
            for stream in directory.streams(session.id)
        ),
        ended=openings.ended,
        cut=cut_sentence(cut) if cut is not None else "",
        calls=make_calls(
            directory.in_flight(session.id),
            urls,
            session,
            now=now,
            hung_after=settings.hung_call_seconds,
            can_act=can_act,
        ),
        era_note=no_stream(session),
    )


def resources_panel(directory: Directory, urls: Urls, session: Session, *, can_act: bool) -> ResourceList:
    """Return what the session holds open."""
    return make_resources(session, directory.resources(session.id), urls, can_act=can_act)


async def errors_panel(directory: Directory, urls: Urls, session_id: str) -> FailureList:
    """Return the session's errors by code."""
    return make_failures(await directory.errors(session_id), urls, most=ERRORS_READ, of_session=True)
