"""GET: the session's standalone stream, and the resumption of any of its streams.

2025-11-25, transports: `Last-Event-ID` resumes the stream that issued it and no other. An id that
this session did not issue is answered 400 and replays nothing.
"""

from __future__ import annotations

import json
import time

from mcp.server.streamable_http import check_accept_headers
from starlette.requests import Request
from starlette.types import Send

from ..engine.engine import Engine
from ..engine.limits import Limit
from ..engine.session import LiveSession
from ..engine.streams import OpenStream, closing_note
from ..errors import LimitReached
from ..ids import EventId, parse_event_id
from ..models import ANSWERS, STANDALONE_STREAM, Direction, EventKind, SessionRecord
from ..store.base import EventLog, EventQuery
from .http import Header, send_error, send_nothing
from .sse import accepts_priming, priming
from .writer import StreamWriter, closed_on_disconnect

BAD_EVENT_ID = (
    "Last-Event-ID was not issued by this session, or its stream is unknown. "
    "Open the stream without it to go on from what has not been delivered."
)
STREAM_OVER = "The stream of this Last-Event-ID has ended, and nothing after that event is kept."
DROPPED = 400
COMPLETE = 204
"""Tells a client to stop reconnecting (HTML Living Standard, section 9.2). TypeScript's 1.x client comes back after
every answer that is an error, and reports anything but this as trouble of its own."""


async def serve_get(engine: Engine, session: LiveSession, request: Request, send: Send, secret: str) -> None:
    """Open or resume a stream and write it until it ends.

    Raises:
        LimitReached: The session holds too many streams.
    """
    if not check_accept_headers(request)[1]:
        await send_error(send, 406, "Not Acceptable: Client must accept text/event-stream")
        return
    session.heard(time.monotonic())
    cursor = _cursor(session, request.headers.get("last-event-id"))
    resumed = request.headers.get("last-event-id") is not None
    if cursor is None or (resumed and not await _is_known(engine.store.events, session.record.no, cursor)):
        await send_error(send, 400, BAD_EVENT_ID)
        return
    if resumed and (status := await _status_if_over(engine.store.events, session, cursor)) is not None:
        await (send_error(send, status, STREAM_OVER) if status == DROPPED else send_nothing(send))
        return
    if (ended := session.early_end) is not None:
        await send_error(send, 404, ended.message, code=ended.code, data=ended.data)
        return
    _make_room(engine, session, cursor.stream)
    record = session.record
    tail = engine.store.events.tail(record.no, cursor.seq, stream=cursor.stream)
    opened = OpenStream(cursor.stream, "get", tail.wake, resumed_from=cursor.seq if resumed else None)
    writer = StreamWriter(engine, session, opened, tail, request.scope, send)
    headers: list[Header] = [(b"mcp-session-id", secret.encode("latin-1"))]
    first = priming(cursor, engine.settings.retry_ms) if accepts_priming(record.protocol_version) else ": open\n\n"
    detail = {"stream": cursor.stream, "after": cursor.seq}
    session.note(EventKind.STREAM, "resumed" if resumed else "opened", json.dumps(detail))
    async with closed_on_disconnect(request.receive, opened):
        await writer.run(headers, first)
    if session.early_end is None:
        session.note(EventKind.STREAM, "closed", json.dumps(closing_note(opened)))


def _cursor(session: LiveSession, last_event_id: str | None) -> EventId | None:
    record = session.record
    if last_event_id is None:
        # What was queued while no stream was open is still to be delivered: the SDK's own leg stores a
        # message sent without an open GET and then never sends it to a later one.
        return EventId(record.id, record.epoch, record.delivered_seq, STANDALONE_STREAM)
    event_id = parse_event_id(last_event_id)
    return event_id if event_id is not None and _was_issued(record, event_id) else None


def _was_issued(record: SessionRecord, event_id: EventId) -> bool:
    """Whether this session can have issued the id: its own reference, a known epoch that held that seq."""
    # A stream is numbered by its first event, so no event of it has a smaller number.
    if event_id.session_id != record.id or event_id.seq > record.last_seq or event_id.stream > event_id.seq:
        return False
    for index, (epoch, first) in enumerate(record.epochs):
        if epoch == event_id.epoch:
            is_last = index + 1 == len(record.epochs)
            end = record.last_seq if is_last else record.epochs[index + 1][1] - 1
            # A priming event carries the position reached so far, which an earlier epoch may hold.
            return (first <= event_id.seq or event_id.stream == STANDALONE_STREAM) and event_id.seq <= end
    return False


async def _is_known(log: EventLog, session_no: int, cursor: EventId) -> bool:
    """Whether the log agrees with the id, as far as it still goes back: a request's stream, and an event on it."""
    if cursor.stream != STANDALONE_STREAM:
        opener = await log.get(session_no, cursor.stream)
        if opener is not None and (opener.kind is not EventKind.REQUEST or opener.stream != cursor.stream):
            return False
    event = await log.get(session_no, cursor.seq)
    return event is None or event.stream == cursor.stream


async def _status_if_over(log: EventLog, session: LiveSession, cursor: EventId) -> int | None:
    """Return how a client is told that nothing can follow: it holds the answer, or retention has dropped it."""
    calls = (session.calls or {}).values()
    if cursor.stream == STANDALONE_STREAM or any(call.seq == cursor.stream for call in calls):
        return None
    session_no, stream = session.record.no, cursor.stream
    if (await log.read(session_no, EventQuery(after=cursor.seq, stream=stream, limit=1))).events:
        return None
    answers = EventQuery(stream=stream, kinds=ANSWERS, direction=Direction.FROM_SERVER, limit=1, newest_first=True)
    if (await log.read(session_no, answers)).events:
        return COMPLETE
    # Otherwise its answer is decided and waits for its commit.
    return DROPPED if await log.get(session_no, stream) is None else None


def _make_room(engine: Engine, session: LiveSession, stream: int) -> None:
    """The newest connection of a stream wins; the number of streams is bounded."""
    older = session.open_stream(stream)
    if older is not None:
        older.close()
        return
    settings = engine.settings
    held = sum(1 for opened in session.streams or () if opened.kind == "get" and not opened.is_closed)
    if settings.has_limits and held >= settings.max_streams:
        engine.limit_hits.hit(Limit.STREAMS, session.record.id)
        raise LimitReached(f"This session holds {held} streams, its limit.", retry_after=2)
