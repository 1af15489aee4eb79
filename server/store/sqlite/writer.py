"""The writer thread: natural group commit, durability, and retries in place.

Whatever was queued while the last commit ran is the next batch; there is no timer to wait for. A
commit that fails is tried again with the same rows in the same order until it succeeds.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty
from typing import Any, TypeVar

from ...errors import StoreUnavailable
from .batch import Batch, Results
from .connection import open_writer
from .damage import ONLY_READ, DatabaseDamaged, advice, is_damage
from .faults import is_no_room, is_passing, trouble
from .items import Item, Job, Save, answer
from .logs import LogEnds
from .queue import WriteQueue
from .reserve import Reserve
from .statements import read_statements

SYNC_SECONDS = 0.2
"""A power cut takes at most this much with durability `interval`."""

_MAX_BATCH = 4_000
_CLOSE_SECONDS = 5.0
_RETRY_SECONDS = (0.02, 0.05, 0.1, 0.25, 0.5)
_REFILL_SECONDS = 60.0

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Writer:
    """Owns the writing connection. Started and stopped by the store; its figures may be read from any thread."""

    def __init__(
        self,
        path: Path,
        queue: WriteQueue,
        ends: LogEnds,
        *,
        is_always_synced: bool,
        finish: Callable[[sqlite3.Connection], None],
    ) -> None:
        self._path = path
        self._queue = queue
        self._ends = ends
        self._is_always_synced = is_always_synced
        self._finish = finish
        self._reserve = Reserve(path)
        self._thread = threading.Thread(target=self._run, name="switchroom-store", daemon=True)
        self._opened: Future[None] = Future()
        self._stopping = threading.Event()
        self._stop_at = 0.0
        self._is_synchronous_full: bool = False
        self._unsynced_since: float | None = None
        self._refill_at: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: sqlite3.Connection
        self._prepare: Callable[[sqlite3.Connection], None]
        self._batch: Batch
        self._set_meta = read_statements("session")["set_meta"]
        self.failing_since: float | None = None
        """Monotonic time of the first failure since the last success."""
        self.last_error = ""
        self.trouble = ""
        """Why the last commit failed, in a word or two; empty while commits succeed."""
        self.damage = ""
        """What to do about a damaged file, once a write has met the damage; empty when none has lately."""
        self.last_commit_ms = 0.0
        self.failed_commits = 0
        self.commits = 0
        self.commit_seconds = 0.0

    async def start(self, prepare: Callable[[sqlite3.Connection], None]) -> None:
        """Open the database on the thread and let `prepare` read from it.

        Raises:
            StartupError: See `open_writer`.
        """
        self._loop = asyncio.get_running_loop()
        self._prepare = prepare
        self._thread.start()
        await asyncio.wrap_future(self._opened)

    async def stop(self) -> None:
        """Commit what is queued, at most for five seconds, and close the database."""
        self._stop_at = time.monotonic() + _CLOSE_SECONDS
        self._stopping.set()
        self._queue.inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            self._connection = open_writer(self._path)
        except Exception as error:
            self._opened.set_exception(error)
            return
        try:
            self._prepare(self._connection)
        except Exception as error:
            self._connection.close()
            self._opened.set_exception(DatabaseDamaged(advice(self._path, error)) if is_damage(error) else error)
            return
        self._batch = Batch(self._connection, self._ends)
        self._reserve.fill()
        self._opened.set_result(None)
        while not (self._stopping.is_set() and self._queue.inbox.empty()):
            self._step()
        self._shut()

    def _step(self) -> None:
        items = self._take()
        if items:
            self._commit(items)
        elif self._is_sync_due():
            self._sync()
        self._maintain()
        if self._refill_at is not None and time.monotonic() >= self._refill_at:
            self._refill_at = None
            self._reserve.fill()

    def _take(self) -> list[Item]:
        """Wait for work, at most until written rows must be synced, and take all there is."""
        inbox = self._queue.inbox
        timeout = None
        if self._unsynced_since is not None:
            timeout = max(0.0, self._unsynced_since + SYNC_SECONDS - time.monotonic())
        try:
            found = [inbox.get(timeout=timeout)]
        except Empty:
            return []
        found += [inbox.get_nowait() for _ in range(min(inbox.qsize(), _MAX_BATCH))]
        items = [item for item in found if item is not None]
        for item in items:
            if isinstance(item, Save):
                with self._queue.lock:
                    item.is_taken = True
        return items

    def _commit(self, items: list[Item]) -> None:
        """Commit one batch, however often it takes, and hand it back to the loop."""
        attempt = 0
        apply = self._batch.apply
        while True:
            try:
                results = self._attempt(items, apply)
                break
            except Exception as error:
                if is_damage(error):
                    self._give_up(items, error)
                    return
                if not is_passing(error) and apply == self._batch.apply:
                    logger.warning("a write was refused by the database: %s", error)
                    apply = self._batch.apply_one_by_one
                    continue
                self._note_failure(error)
            if self._stopping.is_set() and time.monotonic() >= self._stop_at:
                self._call(self._queue.refuse, items, f"The store was closed before it could write: {self.last_error}.")
                return
            self._maintain()
            self._pause(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
            attempt += 1
        self._note_success()
        self._call(self._queue.acknowledge, items, results)

    def _attempt(self, items: Sequence[Item], apply: Callable[[Sequence[Item]], Results]) -> Results:
        is_full = self._is_always_synced or self._is_sync_due() or any(_is_synced(item) for item in items)
        started = time.monotonic()
        results = self._transact(lambda: apply(items), is_full=is_full)
        took = time.monotonic() - started
        self.last_commit_ms = took * 1000
        self.commit_seconds += took
        return results

    def _transact(self, work: Callable[[], T], *, is_full: bool) -> T:
        connection = self._connection
        if is_full is not self._is_synchronous_full:
            connection.execute(f"PRAGMA synchronous = {'FULL' if is_full else 'NORMAL'}")
            self._is_synchronous_full = is_full
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            connection.execute("COMMIT")
        except BaseException:
            # A full disk has rolled back already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._ends.rolled_back()
            raise
        self._ends.committed()
        self.commits += 1
        if is_full:
            # One sync covers the whole write-ahead log, and so everything committed before.
            self._unsynced_since = None
        elif self._unsynced_since is None:
            self._unsynced_since = time.monotonic()
        return result

    def _is_sync_due(self) -> bool:
        since = self._unsynced_since
        return since is not None and time.monotonic() - since >= SYNC_SECONDS

    def _sync(self) -> None:
        """Sync what was committed lately, by a commit of next to nothing."""
        try:
            self._transact(lambda: self._connection.execute(self._set_meta, ("synced_at", time.time())), is_full=True)
        except sqlite3.Error as error:
            self._note_failure(error)
            self._pause(_RETRY_SECONDS[-1])

    def _maintain(self) -> None:
        """Do one piece of maintenance; what fails is not tried again."""
        if not self._queue.maintenance:
            return
        job = self._queue.maintenance.popleft()
        result: Any = None
        error: Exception | None = None
        try:
            if not job.is_abandoned:
                result = self._transact(lambda: job.work(self._connection), is_full=self._is_always_synced)
        except Exception as failure:
            error = StoreUnavailable(f"The store could not be cleaned up: {failure}.")
        self._call(answer, job.future, result, error)

    def _give_up(self, items: list[Item], error: Exception) -> None:
        """Refuse a batch that meets damage: to try again mends nothing. The next batch may not touch that place."""
        self.damage = advice(self._path, error)
        self.failed_commits += 1
        self.last_error = str(error)
        self.trouble = "damaged"
        if self.failing_since is None:
            self.failing_since = time.monotonic()
            logger.error("%s", self.damage)
        self._call(self._queue.refuse, items, ONLY_READ)

    def _note_failure(self, error: Exception) -> None:
        self.failed_commits += 1
        self.last_error = str(error)
        self.trouble = trouble(error)
        if self.failing_since is None:
            self.failing_since = time.monotonic()
            logger.error("the store cannot write: %s; writes are kept and tried again", error)
        if is_no_room(error):
            self._make_room()

    def _note_success(self) -> None:
        if self.failing_since is not None:
            logger.warning("the store writes again after %.1f s", time.monotonic() - self.failing_since)
            self.failing_since = None
            self.damage = self.trouble = ""

    def _make_room(self) -> None:
        self._reserve.release()
        self._refill_at = time.monotonic() + _REFILL_SECONDS
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            logger.debug("no checkpoint on a full disk: %s", error)

    def _pause(self, seconds: float) -> None:
        if self._stopping.is_set():
            time.sleep(min(seconds, 0.05))
        else:
            self._stopping.wait(seconds)

    def _shut(self) -> None:
        while self._queue.maintenance:
            self._maintain()
        try:
            self._transact(lambda: self._finish(self._connection), is_full=True)
        except sqlite3.Error as error:
            logger.error("the store was closed without its last sync: %s", error)
        self._connection.close()

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            # The loop is gone without closing the store: what is queued is committed, nobody waits for it.
            self._stopping.set()


def _is_synced(item: Item) -> bool:
    return isinstance(item, Job) and item.is_synced
