"""The SQLite engine put together, from the lock to the last sync."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from ..base import Retention, StoreHealth
from .audit import SqliteAuditLog
from .broadcasts import SqliteBroadcasts
from .connection import FileLock, check_path
from .damage import ONLY_READ, DatabaseDamaged
from .events import SqliteEventLog
from .figures import SqliteFigures
from .groups import SqliteBlocks, SqliteGroups
from .keys import SqliteKeyValues
from .logs import LogEnds
from .queue import WriteQueue
from .readers import Readers
from .sealed import SqliteSealedRows
from .sessions import SqliteRegistry
from .sweep import Sweep
from .writer import Writer

logger = logging.getLogger(__name__)


class SqliteStore:
    """One database file, opened by one process. Opened once; make another object to open it again."""

    def __init__(
        self,
        path: Path,
        *,
        is_always_synced: bool = False,
        retention: Retention | None = None,
        audit_key_path: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        retention = retention or Retention()
        path = path.absolute()
        self._path = path
        self._lock = FileLock(path)
        self._readers = Readers(path)
        self._events = SqliteEventLog(self._readers)
        self._queue = WriteQueue(self._events.publish)
        self._events.use(self._queue)
        ends = LogEnds(retention)
        sweep = Sweep(self._queue, ends, retention, self._note_highest_no)
        self._sessions = SqliteRegistry(self._queue, self._readers, sweep, clock)
        self._keys = SqliteKeyValues(self._queue, self._readers, clock)
        self._sealed = SqliteSealedRows(self._queue, self._readers)
        self._audit = SqliteAuditLog(self._queue, self._readers, audit_key_path or Path(f"{path}.audit-key"), clock)
        self._broadcasts = SqliteBroadcasts(self._queue, self._readers)
        self._figures = SqliteFigures(self._queue, self._readers)
        self._groups = SqliteGroups(self._queue, self._readers)
        self._blocks = SqliteBlocks(self._queue, self._readers)
        self._writer = Writer(path, self._queue, ends, is_always_synced=is_always_synced, finish=self._finish)
        self._is_open = False
        self.damage = ""
        """Why the file is only read, and what to do about it; empty when it is whole."""

    @property
    def events(self) -> SqliteEventLog:
        return self._events

    @property
    def sessions(self) -> SqliteRegistry:
        return self._sessions

    @property
    def keys(self) -> SqliteKeyValues:
        return self._keys

    @property
    def sealed(self) -> SqliteSealedRows:
        return self._sealed

    @property
    def audit(self) -> SqliteAuditLog:
        return self._audit

    @property
    def broadcasts(self) -> SqliteBroadcasts:
        return self._broadcasts

    @property
    def figures(self) -> SqliteFigures:
        return self._figures

    @property
    def groups(self) -> SqliteGroups:
        return self._groups

    @property
    def blocks(self) -> SqliteBlocks:
        return self._blocks

    @property
    def is_durable(self) -> bool:
        return True

    @property
    def commits(self) -> int:
        """Transactions committed since it was opened: beside the number of writes, how well they group."""
        return self._writer.condition.commits

    async def open(self) -> None:
        """Open or create the database.

        A damaged database is opened for reading alone, and `health` says what to do.

        Raises:
            StartupError: It cannot be used; the message says what to do.
        """
        check_path(self._path)
        self._lock.acquire()
        try:
            await self._writer.start(self._prepare)
        except DatabaseDamaged as error:
            # Read, never written: whoever runs the server sees what is left, and what to do.
            self.damage, self._queue.closed_because = str(error), ONLY_READ
            logger.error("%s", error)
        except BaseException:
            self._lock.release()
            raise
        else:
            self._queue.commit_lightly = self._writer.commit_lightly
            self._queue.open(asyncio.get_running_loop())
        self._readers.open()
        self._is_open = True

    async def close(self) -> None:
        """Commit what is queued, sync it and free the file. Idempotent."""
        if not self._is_open:
            return
        self._is_open = False
        self._events.close()
        self._queue.close()
        await self._readers.close()
        await self._writer.stop()
        self._lock.release()

    def health(self) -> StoreHealth:
        writing = self._writer.condition
        failing_since = writing.failing_since
        if writing.damage:
            message = writing.damage
        elif failing_since is not None:
            seconds = time.monotonic() - failing_since
            message = f"Writing has failed for {seconds:.0f} s ({writing.last_error}); writes wait and are tried again."
        elif self._queue.is_late:
            message = "A commit has taken longer than 2 s; writes wait."
        elif not self._is_open:
            message = "Not open."
        elif self.damage:
            message = self.damage
        else:
            message = "Writing."
        return StoreHealth(
            is_ok=message == "Writing.",
            message=message,
            queued=len(self._queue),
            last_commit_ms=writing.last_commit_ms,
            failed_commits=writing.failed_commits,
            commits=writing.commits,
            commit_seconds=writing.commit_seconds,
            file_bytes=_size_of(self._path) + _size_of(Path(f"{self._path}-wal")),
            last_error=writing.last_error,
            trouble=self._trouble(message),
        )

    def _trouble(self, message: str) -> str:
        if message == "Writing.":
            return ""
        return "damaged" if self.damage else self._writer.condition.trouble or "slow"

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._sessions.prepare(connection)
        self._audit.prepare(connection)

    def _finish(self, connection: sqlite3.Connection) -> None:
        self._note_highest_no(connection)
        self._audit.log_head(connection)

    def _note_highest_no(self, connection: sqlite3.Connection) -> None:
        self._sessions.note_highest_no(connection)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
