"""Writing: the thread with its natural group commit, durability and retries in place, and the loop's short cut.

Whatever was queued while the last commit ran is the next batch; there is no timer to wait for. A
commit that fails is tried again with the same rows in the same order until it succeeds. A small
batch with nothing before it is committed by the loop itself (`commit_lightly`).
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
from typing import Any

from ...errors import StoreUnavailable
from .batch import Results
from .committer import Committer
from .condition import Condition
from .damage import ONLY_READ, DatabaseDamaged, advice, is_damage
from .faults import is_no_room, is_passing
from .items import Item, Job, Save, answer
from .logs import LogEnds
from .queue import WriteQueue
from .reserve import Reserve

_MAX_BATCH = 4_000
_CLOSE_SECONDS = 5.0
_RETRY_SECONDS = (0.02, 0.05, 0.1, 0.25, 0.5)
_REFILL_SECONDS = 60.0

_STALL_SECONDS = 0.05
"""A commit on the loop that took longer has waited for a disk, not only for its turn on a busy machine."""

_SLOW_SECONDS = 0.002
"""Nor is the loop the place for commits that take longer than this on average of the last eight or so."""

_AVOID_SECONDS = 5.0
"""How long the loop then leaves every commit to the thread."""

_LIGHT_SAVE = 8
"""Session rows at once that the loop may write: each takes 20 µs."""

logger = logging.getLogger(__name__)


class Writer:
    """Owns the writing connection. Started and stopped by the store."""

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
        self._light_from = 0.0
        self._mean_seconds = 0.0
        self._refill_at: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._committer: Committer
        self._prepare: Callable[[sqlite3.Connection], None]
        self.condition = Condition()

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

    # -- on the loop's thread ------------------------------------------------------------------

    def commit_lightly(self, items: Sequence[Item]) -> Results | None:
        """Commit a small batch at once, or return `None`: then it is the thread's.

        To write some rows to the page cache costs less than to wake a thread for it, and leaves the two nothing to
        contend for. Whatever may wait for a disk stays with the thread; when a commit did wait here, all commits
        do for a while.
        """
        if self._is_always_synced or self.condition.failing_since is not None or self._stopping.is_set():
            return None
        if time.monotonic() < self._light_from or not all(_is_light(item) for item in items):
            return None
        lock = self._committer.lock
        if not lock.acquire(blocking=False):
            return None
        try:
            return self._commit_here(items)
        finally:
            lock.release()

    def _commit_here(self, items: Sequence[Item]) -> Results | None:
        committer = self._committer
        was_synced = not committer.is_unsynced
        self._note_taken(items)
        started = time.monotonic()
        try:
            results = committer.commit_lightly(items)
        except Exception:
            self._light_from = time.monotonic() + _AVOID_SECONDS
            return None  # the thread meets the same, and knows what to do
        took = self.condition.committed(started)
        self._mean_seconds += (took - self._mean_seconds) / 8
        if took > _STALL_SECONDS or self._mean_seconds > _SLOW_SECONDS:
            self._mean_seconds = 0.0
            self._light_from = time.monotonic() + _AVOID_SECONDS
        if was_synced:
            self._queue.inbox.put(None)  # so that the thread syncs in time
        return results

    # -- on the writer's own thread ------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._committer = Committer(self._path, self._ends, is_always_synced=self._is_always_synced)
        except Exception as error:
            self._opened.set_exception(error)
            return
        try:
            self._prepare(self._committer.connection)
        except Exception as error:
            self._committer.connection.close()
            self._opened.set_exception(DatabaseDamaged(advice(self._path, error)) if is_damage(error) else error)
            return
        self._reserve.fill()
        self._opened.set_result(None)
        while not (self._stopping.is_set() and self._queue.inbox.empty()):
            items = self._take()
            with self._committer.lock:
                self._step(items)
        with self._committer.lock:
            self._shut()

    def _step(self, items: list[Item]) -> None:
        if items:
            self._commit(items)
        elif self._committer.sync_in == 0.0:
            self._sync()
        self._maintain()
        if self._committer.is_checkpoint_due:
            self._committer.checkpoint()
        if self._refill_at is not None and time.monotonic() >= self._refill_at:
            self._refill_at = None
            self._reserve.fill()

    def _take(self) -> list[Item]:
        """Wait for work, at most until written rows must be synced, and take all there is."""
        inbox = self._queue.inbox
        try:
            found = [inbox.get(timeout=self._committer.sync_in)]
        except Empty:
            return []
        found += [inbox.get_nowait() for _ in range(min(inbox.qsize(), _MAX_BATCH))]
        items = [item for item in found if item is not None]
        self._note_taken(items)
        return items

    def _note_taken(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, Save):
                with self._queue.lock:
                    item.is_taken = True

    def _commit(self, items: list[Item]) -> None:
        """Commit one batch, however often it takes, and hand it back to the loop."""
        attempt = 0
        batch = self._committer.batch
        apply = batch.apply
        while True:
            started = time.monotonic()
            try:
                results = self._committer.commit(items, apply)
                break
            except Exception as error:
                if is_damage(error):
                    self._give_up(items, error)
                    return
                if not is_passing(error) and apply == batch.apply:
                    logger.warning("a write was refused by the database: %s", error)
                    apply = batch.apply_one_by_one
                    continue
                self._failed(error)
            if self._stopping.is_set() and time.monotonic() >= self._stop_at:
                self._call(
                    self._queue.refuse,
                    items,
                    f"The store was closed before it could write: {self.condition.last_error}.",
                )
                return
            self._maintain()
            self._pause(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
            attempt += 1
        self.condition.committed(started)
        self.condition.healed()
        self._call(self._queue.acknowledge, items, results)

    def _sync(self) -> None:
        try:
            self._committer.sync()
        except sqlite3.Error as error:
            self._failed(error)
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
                result = self._do(job)
        except Exception as failure:
            error = StoreUnavailable(f"The store could not be cleaned up: {failure}.")
        self._call(answer, job.future, result, error)

    def _do(self, job: Job[Any]) -> Any:
        committer = self._committer
        return committer.transact(lambda: job.work(committer.connection), is_full=self._is_always_synced)

    # -- how it goes ---------------------------------------------------------------------------

    def _give_up(self, items: list[Item], error: Exception) -> None:
        """Refuse a batch that meets damage: to try again mends nothing. The next batch may not touch that place."""
        self.condition.found_damage(error, advice(self._path, error))
        self._call(self._queue.refuse, items, ONLY_READ)

    def _failed(self, error: Exception) -> None:
        self.condition.failed(error)
        if is_no_room(error):
            self._make_room()

    def _make_room(self) -> None:
        self._reserve.release()
        self._refill_at = time.monotonic() + _REFILL_SECONDS
        self._committer.checkpoint("TRUNCATE")

    def _pause(self, seconds: float) -> None:
        if self._stopping.is_set():
            time.sleep(min(seconds, 0.05))
        else:
            self._stopping.wait(seconds)

    def _shut(self) -> None:
        while self._queue.maintenance:
            self._maintain()
        committer = self._committer
        try:
            committer.transact(lambda: self._finish(committer.connection), is_full=True)
        except sqlite3.Error as error:
            logger.error("the store was closed without its last sync: %s", error)
        committer.connection.close()

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            # The loop is gone without closing the store: what is queued is committed, nobody waits for it.
            self._stopping.set()


def _is_light(item: Item) -> bool:
    return isinstance(item, tuple) or (isinstance(item, Save) and len(item.rows) <= _LIGHT_SAVE)
