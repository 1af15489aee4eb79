"""Reading beside the writer: a few read-only connections in threads of their own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ...errors import StoreDamaged, StoreUnavailable
from ...filters.values import Op, fold, matches_version
from .connection import open_reader
from .damage import ONLY_READ, is_damage

READ_SECONDS = 5.0
_THREADS = 2
_CHECK_EVERY = 10_000
"""Virtual machine steps between two looks at the clock; about a millisecond."""

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Readers:
    """A small pool; each thread keeps one connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._pool: ThreadPoolExecutor | None = None

    def open(self) -> None:
        """Begin to accept reads. The database exists."""
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="switchroom-read")

    async def close(self) -> None:
        """Wait for running reads and close the connections."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown)
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    async def run(self, work: Work[T], *, seconds: float | None = None) -> T:
        """Run `work` on one consistent snapshot and return what it returns.

        Raises:
            StoreUnavailable: The store is not open, cannot be read, or took longer than `seconds` (five).
        """
        if self._pool is None:
            raise StoreUnavailable("The store is not open.")
        seconds = READ_SECONDS if seconds is None else seconds
        deadline = time.monotonic() + seconds
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().run_in_executor(self._pool, self._call, work, deadline)
        except TimeoutError:
            raise StoreUnavailable(f"The store could not be read within {seconds:.0f} seconds.") from None
        except sqlite3.Error as error:
            if is_damage(error):
                raise StoreDamaged(ONLY_READ) from error
            raise StoreUnavailable(f"The store could not be read: {error}.") from error

    def _call(self, work: Work[T], deadline: float) -> T:
        connection = self._connection()
        # Ends a query that nobody waits for any more, so that it does not hold its thread.
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _CHECK_EVERY)
        connection.execute("BEGIN")
        try:
            return work(connection)
        finally:
            connection.execute("ROLLBACK")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_reader(self._path)
            connection.create_function("fold", 1, fold, deterministic=True)
            connection.create_function("matches_version", 3, _matches_version, deterministic=True)
            self._connections.append(connection)
        return connection


def _matches_version(op: str, value: str, operand: str) -> bool:
    return matches_version(Op(op), value, operand)
