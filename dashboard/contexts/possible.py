"""What cannot be done with a session, a stream or a client, and why: shown beside the control that is disabled."""

from __future__ import annotations

from typing import Final

from ...server.models import STANDALONE_STREAM, Era, Session, SessionKind, StreamInfo

ENDED: Final = "The session has ended."
_RESUMABLE_SINCE: Final = "2025-11-25"
"""First revision whose clients can resume a request's own stream."""


def why_no_replay(session: Session) -> str:
    """Return why nothing can be replayed to a session, or `""`."""
    if not session.is_live:
        return ENDED
    if session.era is Era.MODERN or session.kind is SessionKind.HANDLE:
        return "MCP 2026-07-28 has no stream that the server may write to unasked, so there is nothing to replay on."
    return ""


def why_no_message(session: Session) -> str:
    """Return why nothing can be written to a session, or `""`; a handle is reached through its client."""
    return "" if session.is_live else ENDED


def why_no_idle_limit(session: Session) -> str:
    """Return why a session has no idle limit, or `""`."""
    if session.kind in (SessionKind.SSE, SessionKind.STDIO):
        return "The session is its connection, so it is never idle: it ends with it, or at the end of its lifetime."
    return ""


def why_not_closable(session: Session, stream: StreamInfo) -> str:
    """Return why an open stream cannot be closed by itself, or `""`."""
    if stream.kind in ("sse", "stdio"):
        return "It is the session itself: expire the session instead."
    is_answer = stream.stream != STANDALONE_STREAM and stream.kind != "listen"
    if is_answer and session.protocol_version < _RESUMABLE_SINCE:
        return "Clients before 2025-11-25 cannot resume it: cancel the call instead."
    return ""


def why_sessionless(session: Session) -> str:
    """Return why a client has no session, in a few words."""
    return "MCP 2026-07-28" if session.era is Era.MODERN else "--stateless"


def no_stream(session: Session) -> str:
    """Return what it means that a session or client holds no stream open."""
    if session.kind in (SessionKind.SSE, SessionKind.STDIO):
        return "No stream is open: the session is its connection, and that has ended."
    if not session.is_live:
        return "No stream is open: the session has ended, and its streams with it."
    if session.kind is SessionKind.HANDLE:
        return (
            "A handle has no stream of its own. Its client is told things through subscriptions/listen, under Clients."
        )
    if session.kind is SessionKind.CLIENT and session.era is Era.MODERN:
        return "It listens to nothing now. It opens a stream with subscriptions/listen when it wants to be told."
    if session.kind is SessionKind.CLIENT:
        return "A server that runs with --stateless has no streams: each request is answered by itself."
    return "No stream is open. The client opens one with GET when it wants to be told things unasked."
