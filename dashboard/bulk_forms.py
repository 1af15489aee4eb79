"""The form before one verb is applied to one, some or all matching sessions, with what is true at this moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from ..server.attach import Switchroom
from ..server.filters import parse_filter
from ..server.models import Session
from ..server.operations import JOB_ABOVE
from .contexts.dialogs import ExpireForm
from .contexts.sessions import client_name
from .formatting import age, plural
from .rule_forms import also_block
from .urls import Urls

TYPED_ABOVE: Final = 25
"""From this many sessions on, and always by filter, the number has to be typed."""

MAX_CHOSEN: Final = 500
"""Sessions chosen one by one in one action."""

Verb = Literal["expire", "cancel"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom an action on many is about, as a request says it."""

    ids: tuple[str, ...] = ()
    q: str = ""
    excepted: tuple[str, ...] = ()
    is_by_filter: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What was filled in when a form came back, and what was wrong with it."""

    reason: str = ""
    pace: str = ""
    reason_error: str = ""
    typed_error: str = ""
    notice: str = ""
    what: str = ""
    """Whom to block too, `kind:value`."""


def confirmation(verb: Verb, count: int) -> str:
    """Return what has to be typed."""
    return f"{verb} {count}"


async def expire_one(room: Switchroom, urls: Urls, session: Session, sent: Sent = Sent()) -> ExpireForm:
    """Return the form for one session."""
    return ExpireForm(
        action=urls.expiration(session.id),
        verb="expire",
        title=f"Expire the session of {client_name(session)}?",
        button="Expire session",
        is_many=False,
        client=client_name(session),
        ids=(session.id,),
        q="",
        excepted=(),
        is_by_filter=False,
        sessions=1,
        calls=session.in_flight,
        streams=session.open_streams,
        typed="",
        pace="",
        lasts="",
        is_job=False,
        reason=sent.reason,
        reason_error=sent.reason_error,
        typed_error="",
        notice=sent.notice,
        also=also_block(room.directory, [session], sent.what),
    )


def bulk_form(room: Switchroom, urls: Urls, verb: Verb, asked: Asked, sent: Sent = Sent()) -> ExpireForm:
    """Return the form for the sessions chosen one by one, or for all live ones that a filter matches.

    Raises:
        FilterError: The filter cannot be read.
    """
    form = (_by_filter if asked.is_by_filter else _chosen)(room, urls, verb, asked, sent.what)
    return replace(
        form,
        pace=sent.pace or f"{room.settings.bulk_per_second:g}",
        reason=sent.reason,
        reason_error=sent.reason_error,
        typed_error=sent.typed_error,
        notice=sent.notice or form.notice,
    )


def _chosen(room: Switchroom, urls: Urls, verb: Verb, asked: Asked, what: str) -> ExpireForm:
    found = [room.directory.live_session(session_id) for session_id in dict.fromkeys(asked.ids)]
    live = [session for session in found if session is not None]
    gone = "" if len(live) == len(found) else "Some of the chosen sessions have ended meanwhile."
    calls, streams = sum(each.in_flight for each in live), sum(each.open_streams for each in live)
    form = _form(room, urls, verb, len(live), calls, streams)
    typed = confirmation(verb, len(live)) if len(live) > TYPED_ABOVE else ""
    also = also_block(room.directory, live, what) if verb == "expire" else None
    return replace(form, ids=tuple(session.id for session in live), typed=typed, notice=gone, also=also)


def _by_filter(room: Switchroom, urls: Urls, verb: Verb, asked: Asked, what: str) -> ExpireForm:
    query, excepted = parse_filter(asked.q), frozenset(asked.excepted)
    matching = [each for each in room.directory.matching_live(query) if each.record.id not in excepted]
    calls, streams = sum(each.in_flight for each in matching), sum(each.open_streams for each in matching)
    form = _form(room, urls, verb, len(matching), calls, streams)
    return replace(
        form,
        q=query.text,
        excepted=tuple(asked.excepted),
        is_by_filter=True,
        also=also_block(room.directory, (each.record for each in matching), what) if verb == "expire" else None,
        typed=confirmation(verb, len(matching)),
    )


def _form(room: Switchroom, urls: Urls, verb: Verb, sessions: int, calls: int, streams: int) -> ExpireForm:
    seconds = sessions / room.settings.bulk_per_second
    expires = verb == "expire"
    what = plural(sessions, "session")
    title = f"Expire {what}?" if expires else f"Cancel the calls in flight of {what}?"
    return ExpireForm(
        action=urls.expirations() if expires else urls.calls_cancellations(),
        verb=verb,
        title=title,
        button=f"Expire {what}" if expires else f"Cancel {plural(calls, 'call')}",
        is_many=True,
        client="",
        ids=(),
        q="",
        excepted=(),
        is_by_filter=False,
        sessions=sessions,
        calls=calls,
        streams=streams,
        typed="",
        pace="",
        lasts=age(seconds) if seconds >= 1 else "",
        is_job=sessions > JOB_ABOVE,
        reason="",
        reason_error="",
        typed_error="",
        notice="",
    )
