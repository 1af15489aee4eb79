"""The forms that ask before something is done, filled with what is true at this moment.

Pages show them; actions show them again when something is wrong with what was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..server.attach import Switchroom
from ..server.data.messages import LEVELS
from ..server.directory import Directory
from ..server.errors import NotFound
from ..server.filters import parse_filter
from ..server.ids import new_reference
from ..server.models import STANDALONE_STREAM, Session
from .contexts.dialogs import CancelForm, CloseStreamForm, ExpireForm, MessageForm, ReplayForm
from .contexts.log import plain_id
from .contexts.sessions import client_name
from .contexts.streams import stream_label
from .formatting import plural
from .urls import Urls

TYPED_ABOVE: Final = 25
"""From this many sessions on, and always by filter, the number has to be typed."""

_TALLY_PAGE: Final = 500
MAX_CHOSEN: Final = 500
"""Sessions chosen one by one in one action."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was filled in when the expire form came back, and what was wrong with it."""

    reason: str = ""
    reason_error: str = ""
    typed_error: str = ""
    notice: str = ""


async def expire_one(room: Switchroom, urls: Urls, session: Session, sent: Sent = Sent()) -> ExpireForm:
    """Return the form for one session."""
    return ExpireForm(
        action=urls.expiration(session.id),
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
        reason=sent.reason,
        reason_error=sent.reason_error,
        typed_error="",
        notice=sent.notice,
    )


async def expire_chosen(directory: Directory, urls: Urls, ids: Sequence[str], sent: Sent = Sent()) -> ExpireForm:
    """Return the form for sessions chosen one by one; those that have ended meanwhile are left out."""
    live = [session for session in map(directory.live_session, dict.fromkeys(ids)) if session is not None]
    what = plural(len(live), "session")
    return ExpireForm(
        action=urls.expirations(),
        title=f"Expire {what}?",
        button=f"Expire {what}",
        is_many=True,
        client="",
        ids=tuple(session.id for session in live),
        q="",
        excepted=(),
        is_by_filter=False,
        sessions=len(live),
        calls=sum(session.in_flight for session in live),
        streams=sum(session.open_streams for session in live),
        typed=f"expire {len(live)}" if len(live) > TYPED_ABOVE else "",
        reason=sent.reason,
        reason_error=sent.reason_error,
        typed_error=sent.typed_error,
        notice=sent.notice
        or ("" if len(live) == len(set(ids)) else "Some of the chosen sessions have ended meanwhile."),
    )


async def expire_matching(
    directory: Directory,
    urls: Urls,
    q: str,
    excepted: Sequence[str],
    sent: Sent = Sent(),
) -> ExpireForm:
    """Return the form for every live session that a filter matches.

    Raises:
        FilterError: The filter cannot be read.
    """
    query = parse_filter(q)
    sessions, calls, streams = await _tally(directory, query.text, frozenset(excepted))
    what = plural(sessions, "session")
    return ExpireForm(
        action=urls.expirations(),
        title=f"Expire {what}?",
        button=f"Expire {what}",
        is_many=True,
        client="",
        ids=(),
        q=query.text,
        excepted=tuple(excepted),
        is_by_filter=True,
        sessions=sessions,
        calls=calls,
        streams=streams,
        typed=f"expire {sessions}",
        reason=sent.reason,
        reason_error=sent.reason_error,
        typed_error=sent.typed_error,
        notice=sent.notice,
    )


async def _tally(directory: Directory, q: str, excepted: frozenset[str]) -> tuple[int, int, int]:
    """Count live matches with their calls in flight and open streams."""
    query = parse_filter(f"{q} state:live".strip())
    sessions = calls = streams = 0
    cursor: str | None = None
    while True:
        page = await directory.sessions(query, sort="created", limit=_TALLY_PAGE, cursor=cursor)
        chosen = [session for session in page.items if session.id not in excepted]
        sessions += len(chosen)
        calls += sum(session.in_flight for session in chosen)
        streams += sum(session.open_streams for session in chosen)
        cursor = page.next_cursor
        if cursor is None:
            return sessions, calls, streams


def replay_form(
    directory: Directory, urls: Urls, session: Session, *, values: dict[str, str] | None = None, error: str = ""
) -> ReplayForm:
    """Return the replay form; `values` are its fields as they were sent."""
    given = values or {}
    last = session.event_count
    default = "one" if given.get("seq") else "after"
    return ReplayForm(
        action=urls.replays(session.id),
        client=client_name(session),
        choice=given.get("choice") or default,
        seq=given.get("seq", ""),
        after_seq=given.get("after_seq") or str(max(session.trimmed_seq, last - 50)),
        from_seq=given.get("from_seq") or str(max(session.trimmed_seq + 1, last - 50)),
        to_seq=given.get("to_seq") or str(last),
        last_seq=last,
        has_stream=has_standalone_stream(directory, session),
        error=error,
    )


def message_form(
    directory: Directory, urls: Urls, session: Session, *, values: dict[str, str] | None = None, error: str = ""
) -> MessageForm:
    """Return the form of a message to one session."""
    given = values or {}
    level = given.get("level", "info")
    return MessageForm(
        action=urls.messages(session.id),
        client=client_name(session),
        has_stream=has_standalone_stream(directory, session),
        text=given.get("text", ""),
        level=level if level in LEVELS else "info",
        levels=LEVELS,
        idempotency_key=given.get("idempotency_key") or new_reference(),
        error=error,
    )


def cancel_form(
    directory: Directory, urls: Urls, session: Session, request_id: str, *, reason: str = "", error: str = ""
) -> CancelForm:
    """Return the form for one call in flight.

    Raises:
        NotFound: The call was answered meanwhile.
    """
    call = next((call for call in directory.in_flight(session.id) if call.request_id == request_id), None)
    if call is None:
        raise NotFound("This call has been answered meanwhile; there is nothing left to cancel.")
    return CancelForm(
        action=urls.cancellations(session.id),
        request_id=request_id,
        shown_id=plain_id(request_id),
        method=call.method,
        target=call.target or "",
        reason=reason,
        error=error,
    )


def close_stream_form(
    directory: Directory, urls: Urls, session: Session, stream: int, *, reason: str = "", error: str = ""
) -> CloseStreamForm:
    """Return the form for one open stream.

    Raises:
        NotFound: It was closed meanwhile.
    """
    opened = next((each for each in directory.streams(session.id) if each.stream == stream), None)
    if opened is None:
        raise NotFound("This stream was closed meanwhile.")
    return CloseStreamForm(
        action=urls.stream_closing(session.id, stream),
        label=stream_label(opened),
        outlook=_OUTLOOKS.get(opened.kind, _OUTLOOKS["get"]),
        reason=reason,
        error=error,
    )


_OUTLOOKS = {
    "get": "Its client may connect again and goes on after the last event it has; nothing is lost.",
    "post": "The call goes on. Its client may connect again and gets the answer then.",
    "listen": "The client is told that the stream has ended, and may listen again. It misses what changes meanwhile.",
}
"""What closing means for the client, by the kind of stream."""


def has_standalone_stream(directory: Directory, session: Session) -> bool:
    """Whether the client holds the stream open that the server may write to unasked."""
    return any(stream.stream == STANDALONE_STREAM for stream in directory.streams(session.id))
