"""The forms that ask before something is done, filled with what is true at this moment.

Pages show them; actions show them again when something is wrong with what was sent.
"""

from __future__ import annotations

from ..server.data.messages import LEVELS
from ..server.directory import Directory
from ..server.errors import NotFound
from ..server.ids import new_reference
from ..server.models import STANDALONE_STREAM, Session, SessionKind
from .contexts.dialogs import CancelForm, ClosingForm, MessageForm
from .contexts.log import plain_id
from .contexts.sessions import client_name
from .contexts.streams import stream_label
from .urls import Urls


def message_form(
    directory: Directory, urls: Urls, session: Session, *, values: dict[str, str] | None = None, error: str = ""
) -> MessageForm:
    """Return the form of a message to one session."""
    given = values or {}
    level = given.get("level", "info")
    return MessageForm(
        action=urls.messages(session.id),
        client=client_name(session),
        outlook=_message_outlook(directory, session),
        text=given.get("text", ""),
        level=level if level in LEVELS else "info",
        levels=LEVELS,
        idempotency_key=given.get("idempotency_key") or new_reference(),
        error=error,
    )


def _message_outlook(directory: Directory, session: Session) -> str:
    if session.kind is SessionKind.HANDLE:
        return "A handle has no stream of its own: its client is told through its listen streams, if one is open."
    stream = "open now" if has_standalone_stream(directory, session) else "not open: the message waits for the next one"
    return f"Sent as notifications/message on the session's standalone stream, which is {stream}."


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
) -> ClosingForm:
    """Return the form for one open stream.

    Raises:
        NotFound: It was closed meanwhile.
    """
    opened = next((each for each in directory.streams(session.id) if each.stream == stream), None)
    if opened is None:
        raise NotFound("This stream was closed meanwhile.")
    return ClosingForm(
        action=urls.stream_closing(session.id, stream),
        title=f"Close stream {stream_label(opened)}?",
        outlook=_OUTLOOKS.get(opened.kind, _OUTLOOKS["get"]),
        keep="Keep it open",
        button="Close stream",
        reason=reason,
        error=error,
    )


_OUTLOOKS = {
    "get": "Its client may connect again and goes on after the last event it has; nothing is lost.",
    "post": "The call goes on. Its client may connect again and gets the answer then.",
    "listen": "The client is told that the stream has ended, and may listen again. It misses what changes meanwhile.",
}
"""What closing means for the client, by the kind of stream."""


def close_resource_form(
    directory: Directory, urls: Urls, session: Session, number: int, *, reason: str = "", error: str = ""
) -> ClosingForm:
    """Return the form for one thing the session holds open.

    Raises:
        NotFound: It was closed meanwhile.
    """
    held = next((each for each in directory.resources(session.id) if each.id == number), None)
    if held is None:
        raise NotFound("This resource was closed meanwhile.")
    return ClosingForm(
        action=urls.resource_closing(session.id, number),
        title=f"Close {held.name}?",
        outlook="The session goes on. A tool that still uses it will fail.",
        keep="Keep it open",
        button="Close resource",
        reason=reason,
        error=error,
    )


def end_sign_in_form(urls: Urls, session: Session, *, reason: str = "", error: str = "") -> ClosingForm:
    """Return the form for a session's sign-in.

    Raises:
        NotFound: Nobody is signed in (any more).
    """
    if session.signed_in is None:
        raise NotFound("Nobody is signed in to this session any more.")
    return ClosingForm(
        action=urls.sign_in_ending(session.id),
        title=f"Sign {session.signed_in.user} out of this session?",
        outlook="The session goes on. Tools that need a sign-in refuse until somebody signs in again.",
        keep="Keep the sign-in",
        button="Sign out",
        reason=reason,
        error=error,
    )


def has_standalone_stream(directory: Directory, session: Session) -> bool:
    """Whether the client holds the stream open that the server may write to unasked."""
    return any(stream.stream == STANDALONE_STREAM for stream in directory.streams(session.id))
