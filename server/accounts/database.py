"""The accounts file: one SQLite connection on a thread of its own, safe beside other processes.

Rollback journal instead of WAL, because several processes write it (STORAGE.md, two files). Every
change is one `BEGIN IMMEDIATE` transaction, so two processes never work on the same old value.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from ..errors import StartupError, StoreUnavailable

T = TypeVar("T")

BUSY_SECONDS: Final = 2.0
"""How long a change waits for another process's change before it is refused."""

_MIGRATIONS: Final = (
    """
    CREATE TABLE operator (
        name TEXT PRIMARY KEY COLLATE NOCASE, role TEXT NOT NULL, password TEXT,
        created REAL NOT NULL, disabled REAL, last_sign_in REAL
    ) STRICT;
    CREATE TABLE token (
        id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
        created REAL NOT NULL, expires REAL, last_used REAL, revoked REAL
    ) STRICT;
    CREATE TABLE sign_in (
        hash BLOB PRIMARY KEY, operator TEXT NOT NULL COLLATE NOCASE, address TEXT NOT NULL,
        created REAL NOT NULL, seen REAL NOT NULL, ended REAL
    ) STRICT;
    CREATE INDEX sign_in_operator ON sign_in(operator, address);
    CREATE TABLE link (
        hash BLOB PRIMARY KEY, operator TEXT NOT NULL COLLATE NOCASE, expires REAL NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE view (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL COLLATE NOCASE, title TEXT NOT NULL, query TEXT NOT NULL,
        is_shared INTEGER NOT NULL, created REAL NOT NULL, UNIQUE (owner, title)
    ) STRICT;
    """,
    """
    CREATE TABLE note (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
        outcome TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '{}'
    ) STRICT;
    """,
)


class AccountsDatabase:
    """Runs small transactions on the accounts file without blocking the event loop."""

    def __init__(self, path: Path | None) -> None:
        """Args:
        path: The file, made on first use with mode 0600; `None` keeps everything in memory.
        """
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Open or make the file and bring its tables up to date. Opening it again does nothing.

        Raises:
            StartupError: The file cannot be used; the message says why.
        """
        if self._thread is not None:
            return
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="switchroom-accounts")
        try:
            self._connection = await self._on_thread(self._connect)
        except (OSError, sqlite3.Error) as error:
            await self.close()
            raise StartupError(f"The accounts file {self.path} cannot be used: {error}.") from error
        except StartupError:
            await self.close()
            raise

    async def close(self) -> None:
        """Release the file. Idempotent."""
        thread, connection = self._thread, self._connection
        self._thread = self._connection = None
        if thread is None:
            return
        if connection is not None:
            await asyncio.get_running_loop().run_in_executor(thread, connection.close)
        thread.shutdown()

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `query` reads.

        Raises:
            StoreUnavailable: The file is closed, locked for longer than `BUSY_SECONDS`, or broken.
        """
        return await self._guarded(query)

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change` in one transaction; an exception rolls it back.

        Raises:
            StoreUnavailable: As for `read`; nothing was changed.
        """

        def transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = change(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

        return await self._guarded(transaction)

    async def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        if connection is None:
            raise StoreUnavailable("The accounts are not open.")
        try:
            return await self._on_thread(lambda: work(connection))
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise StoreUnavailable(f"The accounts file did not answer: {error}.") from error

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _connect(self) -> sqlite3.Connection:
        if self.path is not None:
            _make_private(self.path)
        connection = sqlite3.connect(
            self.path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            if self.path is not None and connection.execute("PRAGMA journal_mode").fetchone()[0] != "delete":
                connection.execute("PRAGMA journal_mode = DELETE")
            _migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def _make_private(path: Path) -> None:
    # Only a file that is not there yet: closing any descriptor of an SQLite file drops the process's locks on it.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return


def _migrate(connection: sqlite3.Connection) -> None:
    newest = len(_MIGRATIONS)
    if _version(connection) == newest:
        return
    connection.execute("BEGIN IMMEDIATE")
    # Read again: another process may have been first.
    version = _version(connection)
    if version > newest:
        raise StartupError("The accounts file was made by a newer release of Switchroom; run that release.")
    for script in _MIGRATIONS[version:]:
        for statement in filter(str.strip, script.split(";")):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {newest}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    with closing(connection.execute("PRAGMA user_version")) as cursor:
        return int(cursor.fetchone()[0])
