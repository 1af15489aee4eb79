"""Writes one stream of a session's log onto one HTTP connection, from a cursor on.

There is one loop and one cursor, so no event can fall between what was missed and what is live.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable

from starlette.types import Receive, Scope, Send

from ..engine.deadlines import hurry
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..engine.streams import OpenStream
from ..errors import SwitchroomError
from ..models import ANSWERS, STANDALONE_STREAM, Direction, Event, EventKind
from ..store.base import Tail
from .http import SSE_HEADERS, Header
from .masking import whole_event
from .principals import token_has_expired
from .sse import GAP, PING, accepts_priming, frames

logger = logging.getLogger(__name__)

_CHECK_SECONDS = 20.0
"""A token that expires under a stream ends it within this time, however seldom pings are wanted."""


class SlowReader(Exception):
    """A write took longer than its bound: the client does not read."""


class StreamWriter:
    """One connection's writing end."""

    __slots__ = (
        "_engine",
        "_opened",
        "_scope",
        "_send",
        "_session",
        "_tail",
        "_write_limit",
        "_writing",
        "last_words",
        "on_sent",
    )

    def __init__(
        self, engine: Engine, session: LiveSession, opened: OpenStream, tail: Tail, scope: Scope, send: Send
    ) -> None:
        self._engine = engine
        self._session = session
        self._opened = opened
        self._tail = tail
        self._scope = scope
        self._send = send
        self.on_sent: Callable[[int], None] | None = None
        """Told how many payload bytes left, for a call's high-water mark."""
        self.last_words: bytes | None = None
        """Sent before the end where the log cannot carry it (the store failed)."""
        self._write_limit: asyncio.Timeout | None = None
        self._writing = 0
        opened.end_with(self.end)
        opened.queue = self._queued

    def end(self) -> None:
        """End the connection at its next step, also while a slow reader blocks it."""
        self._tail.wake()
        if self._write_limit is not None:
            hurry(self._write_limit)

    async def run(self, headers: list[Header], first: str, committed: asyncio.Future[None] | None = None) -> None:
        """Send the head, `first` once `committed`, and then the stream until its answer, its end or the client's."""
        session = self._session
        if session.streams is None:
            session.streams = []
        session.streams.append(self._opened)
        session.touch()
        try:
            await self._bounded({"type": "http.response.start", "status": 200, "headers": [*SSE_HEADERS, *headers]})
            if committed is not None:
                await asyncio.wait({committed})
            await self._write(first.encode("ascii"))
            try:
                await self._follow()
            except SwitchroomError as error:
                logger.warning("a stream of session %s was ended: %s", session.record.id, error.message)
            await self._bounded({"type": "http.response.body", "body": self.last_words or b""})
        except SlowReader:
            self._opened.is_slow = True
            logger.info("a reader of session %s is too slow: its stream was cut", session.record.id)
        finally:
            self._opened.is_closed = True
            self._engine.stream_watch.ended(self._opened)
            self._tail.close()
            session.streams.remove(self._opened)
            session.last_used = time.monotonic()
            session.touch()

    async def _follow(self) -> None:
        settings = self._engine.settings
        tail, opened = self._tail, self._opened
        announced = False
        while not opened.is_closed:
            events = await tail.read(timeout=min(settings.ping_seconds, _CHECK_SECONDS))
            if opened.is_closed or self._is_unauthorised():
                return
            if not events:
                await self._write(PING)
                continue
            if tail.dropped and not announced:
                announced = True
                await self._write(GAP)
            await self._send_events(events)
            if opened.stream != STANDALONE_STREAM and any(_is_answer(event) for event in events):
                return

    def _is_unauthorised(self) -> bool:
        """Whether the token has expired since; an older client's call, which cannot be resumed, may finish."""
        can_reconnect = self._opened.kind == "get" or accepts_priming(self._session.record.protocol_version)
        return can_reconnect and token_has_expired(self._scope)

    async def _send_events(self, events: list[Event]) -> None:
        record, opened = self._session.record, self._opened
        now = time.time()
        carried = [event for event in events if self._is_for_the_wire(event, now)]
        if any(event.sealed is not None or event.payload is None for event in carried):
            opened_events = (whole_event(self._engine.ring, self._session, event) for event in carried)
            carried = [event for event in opened_events if event is not None]
        if not carried:
            return
        self._writing = len(carried)
        await self._write(frames(record.id, opened.stream, carried))
        self._writing = 0
        if opened.is_lost:
            return  # a later connection delivers these again
        opened.wrote(len(carried))
        if self.on_sent is not None:
            self.on_sent(sum(event.size_bytes for event in carried))
        if opened.stream == STANDALONE_STREAM:
            record.delivered_seq = max(record.delivered_seq, carried[-1].seq)
            self._session.is_dirty = True
        if self._engine.on_written is not None:
            for event in carried:
                self._engine.on_written(self._session, event.seq)
        self._session.touch()

    def _is_for_the_wire(self, event: Event, now: float) -> bool:
        if event.direction is not Direction.FROM_SERVER:
            return False
        if event.payload is None:
            return event.kind in ANSWERS  # what the log no longer holds is answered with the reason
        if event.expires_at is not None and event.expires_at < now:
            return False
        if event.kind is EventKind.REQUEST and event.request_id is not None:
            # Nobody waits any more for the answer to an older one.
            return event.request_id.strip('"') in (self._session.pending or {})
        return True

    async def _write(self, body: bytes) -> None:
        await self._bounded({"type": "http.response.body", "body": body, "more_body": True})

    def _queued(self) -> int | None:
        """Return how many committed events wait for this connection; `None` when only the store knows."""
        waiting = self._tail.waiting
        return None if waiting is None else waiting + self._writing

    async def _bounded(self, message: dict[str, object]) -> None:
        self._opened.blocked_since = time.time()
        try:
            async with asyncio.timeout(self._engine.settings.send_timeout_seconds) as limit:
                self._write_limit = limit
                if self._opened.is_closed:
                    hurry(limit)
                await self._send(message)
                self._opened.written_at = time.time()
        except TimeoutError:
            raise SlowReader from None
        except OSError:
            self._opened.write_errors += 1
            self._opened.is_closed = True
        finally:
            self._opened.blocked_since = None
            self._write_limit = None


def _is_answer(event: Event) -> bool:
    return event.direction is Direction.FROM_SERVER and event.kind in ANSWERS


@contextlib.asynccontextmanager
async def closed_on_disconnect(receive: Receive, opened: OpenStream) -> AsyncGenerator[None]:
    """Close `opened` as soon as its client leaves."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        opened.lose()

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher
