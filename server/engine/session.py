"""A session in memory: its record, its log's write end, and what is in use right now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from ..errors import StoreUnavailable
from ..models import (
    ACTIVE_WINDOW_SECONDS,
    ENDLESS_METHODS,
    STANDALONE_STREAM,
    Direction,
    Event,
    EventKind,
    Session,
    SessionKind,
    SessionRecord,
    SessionState,
)
from ..recordview import RecordView
from .activity import RecentActivity
from .calls import Call, EarlyAnswer
from .describing import describe
from .keeping import Keeping

if TYPE_CHECKING:
    from ..bus import ChangeBus
    from ..store.base import EventLog
    from .streams import OpenStream
    from .timeouts import Timeouts


ALL = Keeping()
"""Keeps everything."""

OWN_STREAM = -1
"""`append(stream=OWN_STREAM)`: the event opens a stream that is numbered by its own `seq`."""


class EventFields(TypedDict, total=False):
    """The optional fields of an event; see `models.Event`."""

    stream: int | None
    request_id: str | None
    duration_us: int | None
    error_code: int | None
    related_seq: int | None
    expires_at: float | None
    sealed: str | None
    size_bytes: int


def forget_outcome(future: asyncio.Future[None]) -> None:
    """Consume a write's outcome that nobody waits for; the store's health page shows failures."""
    if not future.cancelled():
        future.exception()


class LiveSession(RecordView):
    """A session that has not ended. Small while idle: everything in use is created on demand."""

    __slots__ = (
        "_bus",
        "_keeping",
        "_log",
        "calls",
        "early_end",
        "is_dirty",
        "last_used",
        "member_of",
        "pending",
        "recent",
        "resident",
        "streams",
        "version",
    )

    def __init__(
        self,
        record: SessionRecord,
        log: EventLog,
        bus: ChangeBus,
        last_used: float,
        keeping: Keeping = ALL,
    ) -> None:
        super().__init__(record)
        self._log = log
        self._bus = bus
        self._keeping = keeping
        self.last_used = last_used
        """Monotonic time of the client's last activity."""
        self.version = 0
        self.is_dirty = False
        self.calls: dict[str, Call] | None = None
        self.pending: dict[str, Any] | None = None
        """Requests to the client that await its answer, by id."""
        self.streams: list[OpenStream] | None = None
        self.recent: RecentActivity | None = None
        self.resident: Any = None
        """What the transport keeps in memory while the session is in use; `None` in hibernation."""
        self.member_of: tuple[str, ...] = ()
        """Names of the groups it is a member of; `engine.groups` changes it."""
        self.early_end: EarlyAnswer | None = None
        """Set once the session has ended: what every later use of it is told."""

    # -- the log -------------------------------------------------------------------------------

    def append(
        self,
        direction: Direction,
        kind: EventKind,
        method: str | None = None,
        payload: str | None = None,
        **fields: Unpack[EventFields],
    ) -> tuple[Event, asyncio.Future[None]]:
        """Append an event and return it with the future of its commit.

        Raises:
            Overloaded: The store's queue is full; nothing was appended.
        """
        event = self._next_event(direction, kind, method, payload, fields)
        committed = self._log.append(self.record.no, event)
        self.record.last_seq = event.seq
        self.touch()
        return event, committed

    def write(
        self,
        direction: Direction,
        kind: EventKind,
        method: str | None = None,
        payload: str | None = None,
        **fields: Unpack[EventFields],
    ) -> Event:
        """Append an event whose commit nobody waits for, and return it.

        Raises:
            Overloaded: The store's queue is full; nothing was appended.
        """
        event = self._next_event(direction, kind, method, payload, fields)
        self._log.write(self.record.no, event)
        self.record.last_seq = event.seq
        self.touch()
        return event

    def _next_event(
        self, direction: Direction, kind: EventKind, method: str | None, payload: str | None, fields: EventFields
    ) -> Event:
        seq = self.record.last_seq + 1
        stream = fields.get("stream")
        size_bytes = fields.get("size_bytes", 0 if payload is None else len(payload))
        if payload is not None and (size_bytes > self._keeping.max_bytes or not self._keeping.is_full):
            payload = self._keeping.kept(self.record.kind, direction, payload, stream)
        return Event(
            seq,
            self.record.epoch,
            time.time(),
            direction,
            kind,
            method,
            seq if stream == OWN_STREAM else stream,
            fields.get("request_id"),
            size_bytes,
            fields.get("duration_us"),
            fields.get("error_code"),
            fields.get("related_seq"),
            fields.get("expires_at"),
            payload,
            fields.get("sealed"),
        )

    def note(self, kind: EventKind, name: str, payload: str | None = None, *, sealed: str | None = None) -> None:
        """Append a local event; one that the store has no room for is left out."""
        try:
            self.write(Direction.LOCAL, kind, name, payload, sealed=sealed)
        except StoreUnavailable:
            self.touch()

    def touch(self) -> None:
        """Tell followers that something shown about this session changed."""
        self.version = self._bus.publish(self.record.id)
        self.is_dirty = True

    def heard(self, now: float) -> None:
        """Note activity of the client at monotonic time `now`."""
        self.last_used = now
        self.record.last_activity_at = time.time()

    # -- what is in use ------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether a request is in flight or a stream is held open; either keeps a session alive."""
        return self.is_working or bool(self.streams)

    @property
    def is_working(self) -> bool:
        """Whether a handler runs or waits for its client; an open stream alone is written from the log."""
        return bool(self.calls) or bool(self.pending)

    def count_answer(self, is_error: bool) -> None:
        record = self.record
        record.request_count += 1
        if is_error:
            record.error_count += 1
        if self.recent is None:
            self.recent = RecentActivity()
        self.recent.add(time.monotonic(), is_error)

    def open_stream(self, stream: int) -> OpenStream | None:
        """Return the connection that now carries `stream`, if any."""
        return next((s for s in self.streams or () if s.stream == stream and not s.is_closed), None)

    def close_idle_streams(self) -> None:
        """End the streams that wait for nothing: a request's ends with its answer, a connection after the last one."""
        is_answering = any(call.method not in ENDLESS_METHODS for call in self.open_calls())
        for stream in list(self.streams or ()):
            carries_answers = stream.kind in ("sse", "stdio") and is_answering
            if stream.kind == "listen" or (stream.stream == STANDALONE_STREAM and not carries_answers):
                stream.close()

    def close_streams(self) -> None:
        """End every stream at its next step."""
        for stream in list(self.streams or ()):
            stream.close()

    def open_calls(self) -> list[Call]:
        """Return the requests that are not answered yet."""
        return list(self.calls.values()) if self.calls else []

    def each_call(self, visit: Callable[[Call], object]) -> None:
        for call in list((self.calls or {}).values()):
            visit(call)

    # -- what others see (the attributes of `filters.Matchable`) -------------------------------

    @property
    def in_flight(self) -> int:
        return len(self.calls) if self.calls else 0

    @property
    def open_streams(self) -> int:
        return len(self.streams) if self.streams else 0

    @property
    def groups(self) -> tuple[str, ...]:
        return self.member_of

    @property
    def status(self) -> str:
        return self.status_at(time.time())

    def status_at(self, now: float) -> str:
        """Return the status at a time; a walk over all sessions asks for the time once."""
        record = self.record
        if record.state is not SessionState.INITIALIZED:
            return record.state.value
        return "active" if self.calls or now - record.last_activity_at < ACTIVE_WINDOW_SECONDS else "idle"

    def snapshot(self, timeouts: Timeouts) -> Session:
        """Return the session as it is now."""
        recent = self.recent.steps(time.monotonic()) if self.recent else ()
        return describe(
            self.record,
            status=self.status,
            in_flight=self.in_flight,
            open_streams=self.open_streams,
            expires_at=self.expires_at(timeouts),
            timeouts=timeouts,
            recent=recent,
            version=self.version,
            groups=self.groups,
        )

    def expires_at(self, timeouts: Timeouts) -> float | None:
        """Return when the session expires if nobody is heard; `None` for never."""
        record = self.record
        if record.kind is SessionKind.CLIENT or record.ended_at is not None:
            return None
        lifetime = timeouts.lifetime_seconds
        by_age = record.created_at + lifetime if lifetime is not None else None
        if self.is_busy or timeouts.idle_seconds is None:
            return by_age
        quiet = time.monotonic() - self.last_used
        by_idle = time.time() + timeouts.idle_seconds - quiet
        return min(by_idle, by_age) if by_age is not None else by_idle
