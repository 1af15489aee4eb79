"""The HTTP exchange of one request: a quick answer in one write, or a live stream.

The handler runs inside the exchange's own task. When it emits something or takes long, a writer
task starts to send from the log; until then nothing is sent, and a quick answer is one body.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from starlette.types import Receive, Scope, Send

from ..engine.calls import Call, EarlyAnswer
from ..engine.deadlines import Deadline, Deadlines
from ..engine.engine import Engine
from ..engine.session import LiveSession, forget_outcome
from ..engine.streams import OpenStream, closing_note
from ..errors import StoreUnavailable
from ..ids import EventId
from ..models import Direction, Event, EventKind
from .http import JSON_TYPE, SSE_WHOLE, Header, send_body, send_error
from .masking import masked_answer, seal_next
from .messages import INTERNAL_ERROR, answer_text, error_text
from .sse import accepts_priming, frame, priming
from .writer import StreamWriter, closed_on_disconnect

logger = logging.getLogger(__name__)

UNSAVED = "The answer could not be stored, so it was withheld; the session goes on. Repeat the request later."


class Exchange:
    """Answers one request POST. The first `settle` wins; the others are ignored."""

    def __init__(
        self,
        engine: Engine,
        session: LiveSession,
        call: Call,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        is_json: bool,
        can_stream: bool,
        headers: list[Header],
    ) -> None:
        self._engine = engine
        self._session = session
        self._call = call
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_json = is_json
        self._can_stream = can_stream and not is_json
        self._headers = headers
        self._writer: StreamWriter | None = None
        self._opened: OpenStream | None = None
        self._writing: asyncio.Task[None] | None = None
        self._stream_after: Deadline | None = None
        self._unsent = 0
        self._drained: asyncio.Event | None = None
        self._is_sent = False
        call.on_abort = lambda answer: engine.spawn(self.settle(answer))

    # -- live ----------------------------------------------------------------------------------

    def go_live_later(self, deadlines: Deadlines) -> None:
        """Answer as a stream if the handler takes long, so that the client gets a cursor to resume from."""
        if self._can_stream:
            self._stream_after = deadlines.add(self.go_live)

    def go_live(self) -> None:
        """Start to send from the log; nothing when it has started, or the answer is one body or settled."""
        if self._writing is not None or not self._can_stream or self._is_sent or self._call.is_settled:
            return
        call, session = self._call, self._session
        tail = self._engine.store.events.tail(session.record.no, call.seq, stream=call.seq)
        self._opened = OpenStream(call.seq, "post", tail.wake, method=call.method)
        self._writer = StreamWriter(self._engine, session, self._opened, tail, self._scope, self._send)
        self._writer.on_sent = self._sent
        self._writing = asyncio.create_task(self._write_live(self._writer, self._opened, self._note_opened()))

    def _note_opened(self) -> asyncio.Future[None] | None:
        """Log the stream and return the commit that covers its request: what a cursor needs to survive a crash."""
        detail = json.dumps({"stream": self._call.seq, "after": self._call.seq})
        try:
            _, committed = self._session.append(Direction.LOCAL, EventKind.STREAM, "opened", detail)
        except StoreUnavailable:
            return None
        committed.add_done_callback(forget_outcome)
        return committed

    async def _write_live(
        self, writer: StreamWriter, opened: OpenStream, committed: asyncio.Future[None] | None
    ) -> None:
        try:
            async with closed_on_disconnect(self._receive, opened):
                await writer.run(self._headers, self._priming(), committed)
        finally:
            self._sent(self._unsent)
            if not self._call.is_settled:
                self._session.note(EventKind.STREAM, "closed", json.dumps(closing_note(opened)))

    def _priming(self) -> str:
        record = self._session.record
        if not accepts_priming(record.protocol_version):
            return ""
        cursor = EventId(record.id, record.epoch, self._call.seq, self._call.seq)
        return priming(cursor, self._engine.settings.retry_ms)

    def close(self) -> None:
        """End this connection; the call goes on and its answer waits for the resuming client."""
        self.go_live()
        if self._opened is not None:
            self._opened.close()

    async def room(self, size: int) -> None:
        """Wait while the handler is further ahead of its reader than the high-water mark."""
        self._unsent += size
        while self._unsent > self._engine.settings.high_water_bytes:
            if self._opened is None or self._opened.is_closed:
                return
            if self._drained is None:
                self._drained = asyncio.Event()
            self._drained.clear()
            await self._drained.wait()

    def _sent(self, size: int) -> None:
        self._unsent = max(0, self._unsent - size)
        if self._drained is not None:
            self._drained.set()

    # -- the answer ----------------------------------------------------------------------------

    async def settle(self, outcome: dict[str, Any] | EarlyAnswer) -> None:
        """Store the answer and send it, once."""
        call, session = self._call, self._session
        if call.is_settled:
            return
        call.mark_settled()
        call.on_abort = None  # which refers back to this: every call would be garbage of the cyclic sort
        if self._stream_after is not None:
            self._stream_after.cancel()
        if session.calls is not None:
            session.calls.pop(call.key, None)
        is_error, payload, code = answer_text(call.key, outcome)
        self._engine.answered(session, call, is_error)
        session.record.bytes_out += len(payload)
        kept, sealed = payload, None
        if call.marks is not None or call.hidden:
            kept = masked_answer(call, payload)
            sealed = None if kept is payload else seal_next(self._engine.ring, session, payload)
        try:
            event, committed = session.append(
                Direction.FROM_SERVER,
                EventKind.ERROR if isinstance(outcome, EarlyAnswer) else EventKind.RESPONSE,
                call.method,
                kept,
                sealed=sealed,
                size_bytes=len(payload),
                stream=call.seq,
                request_id=call.key,
                duration_us=call.duration_us,
                error_code=code,
                related_seq=call.seq,
            )
            await committed
        except StoreUnavailable as error:
            logger.warning("an answer of session %s was not stored: %s", session.record.id, error.message)
            await self._apologise()
            return
        if self._writing is None:
            await self._send_whole(event, payload)

    async def _send_whole(self, event: Event, payload: str) -> None:
        if self._is_sent:
            return
        self._is_sent = True
        if self._is_json:
            await send_body(self._send, 200, [JSON_TYPE, *self._headers], payload.encode("ascii"))
            return
        record = self._session.record
        whole = event if event.sealed is None else event._replace(payload=payload)
        body = self._priming() + frame(record.id, self._call.seq, whole)
        await send_body(self._send, 200, [*SSE_WHOLE, *self._headers], body.encode("ascii"))

    async def _apologise(self) -> None:
        if self._writer is not None and self._opened is not None:
            text = error_text(self._call.key, INTERNAL_ERROR, UNSAVED)
            self._writer.last_words = f"event: message\ndata: {text}\n\n".encode("ascii")
            self._opened.close()
        elif not self._is_sent:
            self._is_sent = True
            headers = [(b"retry-after", b"2"), *self._headers]
            await send_error(self._send, 503, UNSAVED, code=INTERNAL_ERROR, key=self._call.key, headers=headers)

    async def finish(self) -> None:
        """Wait until everything is sent."""
        if self._writing is not None:
            await self._writing

    def abandon(self) -> None:
        """The server gives the connection up: stop writing to it; the call's answer waits in the log."""
        self._is_sent = True
        if self._writing is not None:
            self._writing.cancel()
