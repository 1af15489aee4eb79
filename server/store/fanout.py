"""Followers of event logs: committed events are handed to every tail of their session.

Shared by all engines. A tail subscribes first and reads the store second, so nothing falls between
the two. It holds a bounded number of events; a reader that is slower than its log loses its buffer,
never an event, and reads the store again from its cursor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..models import Event, EventPage
from .base import EventQuery
from .limits import kept_bytes

MAX_BUFFERED_EVENTS = 1_000
MAX_BUFFERED_BYTES = 64 * 1024
"""What one tail holds, and what it takes from the store at once: fifty readers that never read cost a few megabytes."""
_PAGE = 500

Load = Callable[[int, EventQuery], Awaitable[EventPage]]


class Fanout:
    """Every tail of one store; for the event loop's thread only."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._tails: dict[int, list[LogTail]] = {}

    def publish(self, session_no: int, event: Event) -> None:
        """Hand a committed event to the tails of its session. Called in order of `seq`."""
        tails = self._tails.get(session_no)
        if tails is not None:
            for tail in tails:
                tail.offer(event)

    def follow(self, session_no: int, after: int, stream: int | None) -> LogTail:
        """Return a new tail that is subscribed already."""
        tail = LogTail(self, self._load, session_no, after, stream)
        self._tails.setdefault(session_no, []).append(tail)
        return tail

    def forget(self, session_no: int, tail: LogTail) -> None:
        """Unsubscribe a tail. Idempotent."""
        remaining = [other for other in self._tails.get(session_no, ()) if other is not tail]
        if remaining:
            self._tails[session_no] = remaining
        else:
            self._tails.pop(session_no, None)

    def close(self) -> None:
        """End every tail."""
        for tails in list(self._tails.values()):
            for tail in tails:
                tail.close()


class LogTail:
    """A reader that follows one log. `read` is called by one task at a time."""

    __slots__ = (
        "_buffer",
        "_buffered_bytes",
        "_cursor",
        "_dropped",
        "_fanout",
        "_is_closed",
        "_is_loading",
        "_is_woken",
        "_load",
        "_must_load",
        "_session_no",
        "_stream",
        "_unreported",
        "_waiter",
    )

    def __init__(self, fanout: Fanout, load: Load, session_no: int, after: int, stream: int | None) -> None:
        self._fanout = fanout
        self._load = load
        self._session_no = session_no
        self._stream = stream
        self._cursor = after
        self._buffer: list[Event] = []
        self._buffered_bytes = 0
        self._must_load = True
        self._is_loading = False
        self._is_woken = False
        self._is_closed = False
        self._waiter: asyncio.Future[None] | None = None
        self._dropped = 0
        self._unreported = 0

    @property
    def dropped(self) -> int:
        """Events retention had dropped directly before those that the last `read` returned.

        Counted over the whole log, also when only one stream of it is followed.
        """
        return self._dropped

    @property
    def waiting(self) -> int | None:
        """Events that the next `read` returns at once; `None` when the store has to be read first."""
        return None if self._must_load else len(self._buffer)

    async def read(self, timeout: float | None = None) -> list[Event]:
        """Return the next committed events, at least one, or `[]` on a timeout, after `wake` or when closed.

        Raises:
            StoreUnavailable: The store could not be read; the next call tries again from the same place.
        """
        self._dropped = 0
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while not (self._is_closed or self._is_woken):
            events = await self._catch_up() if self._must_load else self._take()
            if events:
                self._dropped, self._unreported = self._unreported, 0
                return events
            # Anything may have happened during the read.
            if self._must_load or self._buffer or self._is_woken:
                continue
            if deadline is not None and loop.time() >= deadline:
                break
            await self._wait(loop, deadline)
        self._is_woken = False
        return []

    def wake(self) -> None:
        """Make a pending or the next `read` return `[]`."""
        self._is_woken = True
        self._notify()

    def close(self) -> None:
        """Stop following. Idempotent."""
        if not self._is_closed:
            self._is_closed = True
            self._buffer.clear()
            self._fanout.forget(self._session_no, self)
            self._notify()

    def offer(self, event: Event) -> None:
        """Take a committed event; called by the fan-out, in order of `seq`."""
        if event.seq <= self._cursor:
            return
        if not self._must_load:
            if self._stream is not None and event.stream != self._stream:
                if not self._buffer and not self._is_loading:
                    self._cursor = event.seq
                return
            self._keep(event)
        self._notify()

    def _keep(self, event: Event) -> None:
        self._buffered_bytes += kept_bytes(event)
        if len(self._buffer) >= MAX_BUFFERED_EVENTS or self._buffered_bytes > MAX_BUFFERED_BYTES:
            self._empty_buffer()
            self._must_load = True
        else:
            self._buffer.append(event)

    def _take(self) -> list[Event]:
        events = self._buffer
        self._empty_buffer()
        if events:
            self._cursor = events[-1].seq
        return events

    async def _catch_up(self) -> list[Event]:
        self._empty_buffer()
        # From here on events are buffered; those that the page holds as well are dropped below.
        self._must_load = False
        self._is_loading = True
        try:
            query = EventQuery(after=self._cursor, limit=_PAGE, max_bytes=MAX_BUFFERED_BYTES, stream=self._stream)
            page = await self._load(self._session_no, query)
        except BaseException:
            self._must_load = True
            raise
        finally:
            self._is_loading = False
        self._unreported += page.dropped
        self._cursor = page.events[-1].seq if page.events else self._cursor + page.dropped
        if page.has_more:
            self._must_load = True
            self._empty_buffer()
        self._buffer = [event for event in self._buffer if event.seq > self._cursor]
        self._buffered_bytes = sum(map(kept_bytes, self._buffer))
        return page.events

    def _empty_buffer(self) -> None:
        self._buffer = []  # a deque would reserve 600 bytes for every idle stream
        self._buffered_bytes = 0

    async def _wait(self, loop: asyncio.AbstractEventLoop, deadline: float | None) -> None:
        waiter = self._waiter = loop.create_future()
        timer = None if deadline is None else loop.call_at(deadline, self._notify)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _notify(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
