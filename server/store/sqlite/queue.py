"""The loop's side of writing: a bounded queue, the futures of those who wait, and their deadline.

What one turn of the loop queued stays together: committed at its end where it is little and nothing is before it,
otherwise the writer thread's. Everything here runs on the event loop's thread, except that the writer takes from
`inbox` and `maintenance`. One batch comes back as one call, whatever its size.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from threading import Lock
from typing import Any, TypeVar

from ...errors import Overloaded, StoreUnavailable
from ...models import Event
from ..limits import kept_bytes
from .batch import Results
from .items import Append, Item, Job, Save, SessionRow, answer, too_late

MAX_QUEUED = 50_000
MAX_QUEUED_BYTES = 64 * 1024 * 1024
MAX_LIGHT = 64
"""Items of one turn of the loop that may be committed there; more are worth waking the writer's thread."""
MAX_LIGHT_BYTES = 256 * 1024
ACKNOWLEDGE_SECONDS = 2.0
_WATCH_SECONDS = 0.25
_HOLD_SECONDS = 0.05
"""How long a write that nobody waits for may wait for company: waking the writer costs more than the row."""

T = TypeVar("T")


class WriteQueue:
    """Writes that are not committed yet, in order."""

    def __init__(self, publish: Callable[[int, Event], None]) -> None:
        self.commit_lightly: Callable[[Sequence[Item]], Results | None] = _never
        """Commits a small batch at once, on the loop's thread, or returns `None`: then it goes to the writer."""
        self.inbox: SimpleQueue[Item | None] = SimpleQueue()
        """What the writer takes next; `None` only wakes it."""
        self.maintenance: deque[Job[Any]] = deque()
        """Work for between two batches, in transactions of its own."""
        self.lock = Lock()
        """Held while a `Save` is filled or taken."""
        self._publish = publish
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed_because = "The store is not open."
        """What a write is told while nothing is accepted."""
        self._waiting: deque[Item] = deque()
        self._bytes = 0
        self._held: list[Item] = []
        """Of them, those that have not been handed over yet."""
        self._hold: asyncio.TimerHandle | None = None
        self._is_ending_turn = False
        self._save: Save | None = None
        self._watch: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_late(self) -> bool:
        """Whether the oldest write has waited longer than its bound."""
        return bool(self._waiting) and time.monotonic() - _queued_at(self._waiting[0]) > ACKNOWLEDGE_SECONDS

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to accept writes."""
        self._loop = loop

    def close(self) -> None:
        """Accept no more writes; those queued are still committed."""
        self._loop = None
        self._release()

    def append(self, session_no: int, event: Event) -> asyncio.Future[None]:
        """Queue an event. The hot path: about two microseconds.

        Raises:
            Overloaded: The queue is full.
            StoreUnavailable: The store is not open.
        """
        loop = self._loop
        if loop is None:
            raise StoreUnavailable(self.closed_because)
        if len(self._waiting) >= MAX_QUEUED or self._bytes >= MAX_QUEUED_BYTES:
            raise _overloaded()
        future: asyncio.Future[None] = loop.create_future()
        self._bytes += kept_bytes(event)
        self._put(loop, (future, session_no, event, time.monotonic()))
        return future

    def write(self, session_no: int, event: Event) -> None:
        """Queue an event that nobody waits for; it is held back for company, at most 50 ms and half a light batch.

        Raises:
            Overloaded: The queue is full.
            StoreUnavailable: The store is not open.
        """
        loop = self._loop
        if loop is None:
            raise StoreUnavailable(self.closed_because)
        if len(self._waiting) >= MAX_QUEUED or self._bytes >= MAX_QUEUED_BYTES:
            raise _overloaded()
        item: Append = (None, session_no, event, time.monotonic())
        self._bytes += kept_bytes(event)
        self._waiting.append(item)
        self._held.append(item)
        if len(self._held) >= MAX_LIGHT // 2:
            self._end_turn_soon(loop)
        elif self._hold is None:
            # Left to run when the row goes earlier: a timer for each costs more than one that finds nothing.
            self._hold = loop.call_later(_HOLD_SECONDS, self._hold_no_longer)

    def _hold_no_longer(self) -> None:
        self._hold = None
        if self._held:
            self._release()

    def _end_turn(self) -> None:
        self._is_ending_turn = False
        if self._held:
            self._release()

    def _release(self) -> None:
        """Have what is held committed: here, where nothing is before it and it is little, or by the writer."""
        items, self._held = self._held, []
        is_light = len(items) == len(self._waiting) <= MAX_LIGHT and self._bytes <= MAX_LIGHT_BYTES
        if is_light and (results := self.commit_lightly(items)) is not None:
            self.acknowledge(items, results)
            return
        for item in items:
            self.inbox.put(item)
        loop = self._loop
        if self._watch is None and loop is not None:
            self._watch = loop.call_later(_WATCH_SECONDS, self._check_deadlines)

    def save(self, rows: Mapping[int, SessionRow]) -> asyncio.Future[None]:
        """Queue session rows by session, joined with those that wait already."""
        loop = self._loop
        if loop is None:
            return _refused(StoreUnavailable(self.closed_because))
        future: asyncio.Future[None] = loop.create_future()
        with self.lock:
            save = self._save
            if save is None or save.is_taken:
                save = self._save = Save(time.monotonic())
                self._put(loop, save)
            save.rows.update(rows)
            save.waiters.append((future, time.monotonic()))
        return future

    def submit(
        self, work: Callable[[sqlite3.Connection], T], *, is_synced: bool = False, is_kept: bool = False
    ) -> asyncio.Future[T]:
        """Queue work for the writer's transaction, in order; the future has what it returns or raises."""
        loop = self._loop
        if loop is None:
            return _refused(StoreUnavailable(self.closed_because))
        if len(self._waiting) >= MAX_QUEUED:
            return _refused(_overloaded())
        future: asyncio.Future[T] = loop.create_future()
        self._put(loop, Job(future, work, time.monotonic(), is_synced=is_synced, is_kept=is_kept))
        return future

    def maintain(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Queue work that need not keep its place; it is tried once, also while commits fail."""
        loop = self._loop
        if loop is None:
            return _refused(StoreUnavailable(self.closed_because))
        future: asyncio.Future[T] = loop.create_future()
        self.maintenance.append(Job(future, work, time.monotonic(), is_synced=False, is_kept=False))
        self.inbox.put(None)
        return future

    def acknowledge(self, items: Sequence[Item], results: Results) -> None:
        """Publish and resolve what was committed, in order."""
        waiting, publish = self._waiting, self._publish
        for position, item in enumerate(items):
            waiting.popleft()
            result = results.get(position) if results else None
            error = result if isinstance(result, Exception) else None
            if isinstance(item, tuple):
                future, session_no, event, _ = item
                self._bytes -= kept_bytes(event)
                if error is None:
                    publish(session_no, event)
                    if future is not None and not future.done():
                        future.set_result(None)
                else:
                    answer(future, None, error)
            elif isinstance(item, Save):
                item.settle(error)
            else:
                answer(item.future, result, error)

    def refuse(self, items: Sequence[Item], message: str) -> None:
        """Drop writes that cannot be committed any more."""
        for item in items:
            self._waiting.popleft()
            if isinstance(item, Save):
                item.settle(StoreUnavailable(message))
            elif isinstance(item, tuple):
                self._bytes -= kept_bytes(item[2])
                answer(item[0], None, StoreUnavailable(message))
            else:
                answer(item.future, None, StoreUnavailable(message))

    def _put(self, loop: asyncio.AbstractEventLoop, item: Item) -> None:
        self._waiting.append(item)
        self._held.append(item)
        self._end_turn_soon(loop)

    def _end_turn_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._is_ending_turn:
            self._is_ending_turn = True
            loop.call_soon(self._end_turn)

    def _check_deadlines(self) -> None:
        before = time.monotonic() - ACKNOWLEDGE_SECONDS
        for item in self._waiting:
            if _queued_at(item) > before:
                break
            if isinstance(item, Save):
                item.expire(before)
            else:
                future = item[0] if isinstance(item, tuple) else item.future
                answer(future, None, too_late())
        self._watch = None
        if self._waiting:
            loop = asyncio.get_running_loop()
            self._watch = loop.call_later(_WATCH_SECONDS, self._check_deadlines)


def _never(_: Sequence[Item]) -> Results | None:
    return None


def _queued_at(item: Item) -> float:
    return item[3] if isinstance(item, tuple) else item.queued_at


def _refused(error: StoreUnavailable) -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    answer(future, None, error)
    return future


def _overloaded() -> Overloaded:
    return Overloaded("Too many writes are waiting for the store; nothing was queued. Try again in a moment.")
