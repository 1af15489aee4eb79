"""The writing connection: transactions, syncs and checkpoints, for whichever thread holds its lock.

A commit that is not synced only writes to the page cache. What may wait for a disk - a sync, a checkpoint - happens
in `sync`, `checkpoint` and commits that are asked to be full, and only on the writer's thread.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from .batch import Batch, Results
from .connection import WRITER_BUSY_MS, open_writer
from .items import Item, Job
from .logs import LogEnds
from .statements import read_statements

SYNC_SECONDS = 0.2
"""A power cut takes at most this much with durability `interval`."""

_CHECKPOINT_BYTES = 16 * 1024 * 1024
"""What the write-ahead log takes up before it goes into the file: often enough to bound it, rarely enough to notice."""

_COMMIT_BYTES = 16 * 1024
"""The pages that one small commit writes, about."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Committer:
    """Commits batches and other work on the one writing connection. Whoever uses it holds `lock`."""

    def __init__(self, path: Path, ends: LogEnds, *, is_always_synced: bool) -> None:
        """Open the database, whose lock the caller holds.

        Raises:
            StartupError, DatabaseDamaged: See `open_writer`.
        """
        self.connection = open_writer(path)
        self.lock = threading.Lock()
        self.batch = Batch(self.connection, ends)
        self._ends = ends
        self._is_always_synced = is_always_synced
        self._is_synchronous_full: bool = False
        self._busy_ms = WRITER_BUSY_MS
        self._set_meta = read_statements("session")["set_meta"]
        self._unsynced_since: float | None = None
        self._log_bytes = 0

    @property
    def is_unsynced(self) -> bool:
        """Whether something was committed that a power cut could take."""
        return self._unsynced_since is not None

    @property
    def sync_in(self) -> float | None:
        """Seconds until what was committed must be synced; `None` when everything is."""
        since = self._unsynced_since
        return None if since is None else max(0.0, since + SYNC_SECONDS - time.monotonic())

    def commit(self, items: Sequence[Item], apply: Callable[[Sequence[Item]], Results]) -> Results:
        """Commit a batch, synced where one of its items or the durability asks for it."""
        is_full = self._is_always_synced or self.sync_in == 0.0 or any(_is_synced(item) for item in items)
        self._log_bytes += _size_of(items)
        self._wait_for_others(WRITER_BUSY_MS)
        return self.transact(lambda: apply(items), is_full=is_full)

    def commit_lightly(self, items: Sequence[Item]) -> Results:
        """Commit a batch unsynced and waiting for nobody; a later commit cuts long logs back to their bounds."""
        self._log_bytes += _size_of(items)
        self._wait_for_others(0)
        return self.transact(lambda: self.batch.apply_lightly(items), is_full=False, is_trimmed=False)

    def _wait_for_others(self, milliseconds: int) -> None:
        if milliseconds != self._busy_ms:
            self.connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
            self._busy_ms = milliseconds

    def transact(self, work: Callable[[], T], *, is_full: bool, is_trimmed: bool = True) -> T:
        """Do something in a transaction of its own; all of it, or nothing."""
        connection = self.connection
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
        self._ends.committed(is_trimmed=is_trimmed)
        self._log_bytes += _COMMIT_BYTES
        if is_full:
            # One sync covers the whole write-ahead log, and so everything committed before.
            self._unsynced_since = None
        elif self._unsynced_since is None:
            self._unsynced_since = time.monotonic()
        return result

    def sync(self) -> None:
        """Sync what was committed lately, by a commit of next to nothing, and cut back the logs that are due."""
        self.transact(self._round_off, is_full=True)

    def _round_off(self) -> None:
        self._ends.trim(self.connection)
        self.connection.execute(self._set_meta, ("synced_at", time.time()))

    def checkpoint(self, mode: str = "PASSIVE") -> None:
        """Put the write-ahead log into the file. What fails is not tried again before it is due again."""
        self._log_bytes = 0
        try:
            self.connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
        except sqlite3.Error as error:
            logger.debug("no checkpoint: %s", error)

    @property
    def is_checkpoint_due(self) -> bool:
        return self._log_bytes >= _CHECKPOINT_BYTES


def _size_of(items: Sequence[Item]) -> int:
    return sum(item[2].size_bytes for item in items if isinstance(item, tuple))


def _is_synced(item: Item) -> bool:
    return isinstance(item, Job) and item.is_synced
