"""The stores as an `EventStore` for somebody who keeps the SDK's own transport.

    stores = EventStores("sqlite:///events.db")
    app = mcp.streamable_http_app()
    stores.serve(mcp.session_manager)      # and `async with stores:` round the app's life

The SDK hands one event store to all sessions, whose stream ids are local to each (`"1"`, `"_GET_stream"`): a shared
store answers one session's event id with another one's messages. Here every session gets an instance of its own, and
an event id means nothing to any other.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from types import TracebackType
from typing import Self

from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import JSONRPCMessage, jsonrpc_message_adapter

from .errors import Overloaded, StoreUnavailable
from .ids import EventId as Position
from .ids import new_reference, parse_event_id
from .models import Direction, Event, EventKind
from .store import EventQuery, Retention, Store, open_store

logger = logging.getLogger(__name__)

_SWEEP_SECONDS = 60.0
_EPOCH = 1
"""Sessions of the SDK's transport end with their process, so no event id outlives it."""


class EventStores:
    """Makes one event store for each session, all in one `sqlite:///` file or in `memory:`."""

    def __init__(
        self,
        where: str | Store = "memory:",
        *,
        max_events: int = 10_000,
        max_bytes: int = 16 * 1024 * 1024,
        max_age_seconds: float = 24 * 3600,
        max_events_per_stream: int = 1_000,
        max_bytes_per_stream: int = 8 * 1024 * 1024,
        max_age_per_stream_seconds: float | None = None,
    ) -> None:
        """Args:
            where: `memory:`, `sqlite:///file.db`, or a store that somebody else opens and closes.
            max_events: Kept of one session.
            max_bytes: Kept of one session.
            max_age_seconds: Of the oldest event kept.
            max_events_per_stream: Kept and replayed of one stream, the newest ones.
            max_bytes_per_stream: Kept of one stream.
            max_age_per_stream_seconds: Of the oldest event kept of a stream; `None` as `max_age_seconds`.

        Raises:
            StartupError: `where` names no store.
        """
        retention = Retention(
            max_events=max_events,
            max_bytes=max_bytes,
            max_age_seconds=max_age_seconds,
            max_stream_events=max_events_per_stream,
            max_stream_bytes=max_bytes_per_stream,
            max_stream_age_seconds=max_age_per_stream_seconds,
        )
        self._is_ours = isinstance(where, str)
        self.store = open_store(where, retention=retention) if isinstance(where, str) else where
        self.max_events_per_stream = max_events_per_stream
        self._sweeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the store.

        Raises:
            StartupError: It cannot be used; the message says what to do.
        """
        if self._is_ours:
            await self.store.open()
            self._sweeping = asyncio.create_task(self._sweep())
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        if self._is_ours:
            await self.store.close()

    def new(self) -> SessionEventStore:
        """Return the event store of one new session."""
        return SessionEventStore(self.store, self.max_events_per_stream)

    def serve(self, manager: StreamableHTTPSessionManager) -> None:
        """Have the SDK's manager give each new session a store of its own."""
        manager.__class__ = _ScopedManager
        vars(manager)["event_stores"] = self

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                await self.store.sessions.sweep(time.time())
            except StoreUnavailable as error:
                logger.warning("old events stay until the next pass: %s", error.message)


class _ScopedManager(StreamableHTTPSessionManager):
    """The SDK's manager, whose public attribute `event_store` it reads once for each session that it opens."""

    @property
    def event_store(self) -> EventStore:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        stores: EventStores = vars(self)["event_stores"]
        return stores.new()


class SessionEventStore(EventStore):
    """The events of one session. Another session's event id replays nothing here."""

    def __init__(self, store: Store, max_events_per_stream: int = 1_000) -> None:
        self._events = store.events
        self._no = store.sessions.allocate()
        self._reference = new_reference()
        self._last_seq = 0
        self._per_stream = max_events_per_stream

    async def store_event(self, stream_id: StreamId, message: JSONRPCMessage | None) -> EventId:
        """Keep a message (`None`: only an id to resume from) and return its id, once it is committed.

        Never raises: the SDK's transport would not survive it. What could not be kept cannot be resumed, and is logged.
        """
        text = None if message is None else _as_json(message)
        stream = _stream_number(stream_id)
        seq = self._last_seq + 1
        event = Event(
            seq,
            _EPOCH,
            time.time(),
            Direction.FROM_SERVER,
            EventKind.STREAM if text is None else EventKind.NOTIFICATION,
            stream_id,  # in the place of a method: the log has no other for a stream's own name
            stream,
            size_bytes=len(text or ""),
            payload=text,
        )
        try:
            committed = self._events.append(self._no, event)
            self._last_seq = seq
            await committed
        except Overloaded as error:
            logger.warning("an event cannot be resumed: %s", error.message)
            seq = self._last_seq
        except StoreUnavailable as error:
            logger.warning("an event is late: %s", error.message)  # it is queued, and its number is taken
        return str(Position(self._reference, _EPOCH, seq, stream))

    async def replay_events_after(self, last_event_id: EventId, send_callback: EventCallback) -> StreamId | None:
        """Send what came after an event on its stream, and return that stream; `None` for what is not of this session.

        Raises:
            StoreUnavailable: The store could not be read.
        """
        position = parse_event_id(last_event_id)
        if position is None or position.session_id != self._reference or not 0 < position.seq <= self._last_seq:
            return None
        events = await self._of_stream(position.stream)
        if not events:
            return None
        for event in events:
            if event.seq > position.seq and event.payload is not None:
                message = jsonrpc_message_adapter.validate_json(event.payload, by_name=False)
                event_id = str(Position(self._reference, _EPOCH, event.seq, position.stream))
                await send_callback(EventMessage(message, event_id))
        return events[-1].method

    async def _of_stream(self, stream: int) -> list[Event]:
        """Return the newest events of a stream, oldest first."""
        found: list[Event] = []
        before = None
        while len(found) < self._per_stream:
            limit = min(1_000, self._per_stream - len(found))
            query = EventQuery(stream=stream, before=before, limit=limit, newest_first=True)
            page = await self._events.read(self._no, query)
            found += page.events
            if not page.has_more:
                break
            before = page.events[-1].seq
        return found[::-1]


def _as_json(message: JSONRPCMessage) -> str:
    return message.model_dump_json(by_alias=True, exclude_unset=True, ensure_ascii=True)


def _stream_number(stream_id: StreamId) -> int:
    """Return the number that stands for a stream's name in event ids, the same each time."""
    return int.from_bytes(hashlib.sha256(stream_id.encode("utf-8", "surrogatepass")).digest()[:7], "big")
