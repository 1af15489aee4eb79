"""Opening the database: the lock that keeps other processes out, the schema, and connections.

Everything that can be wrong with a path or a file is said in one sentence that names the remedy.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from ...errors import StartupError
from .damage import DatabaseDamaged, advice, is_damage, is_ours
from .statements import read_migrations

APPLICATION_ID = 0x53575231
"""`SWR1`; tells our files from those of other programs."""

WRITER_BUSY_MS = 1_000
_CACHE_KIB = 64 * 1024
_JOURNAL_BYTES = 64 * 1024 * 1024
_ADVICE = "set another path with --db"


class FileLock:
    """An exclusive lock on `<database>.lock`, held by one process at a time and freed when it dies.

    Several processes writing one WAL database can corrupt it in SQLite before 3.51.3, so they are refused.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = Path(f"{database}.lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock or fail at once.

        Raises:
            StartupError: Another process, or another store of this one, holds it.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(self._database, error.strerror or str(error)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            who = f"process {holder}" if holder.isdecimal() else "another process"
            raise StartupError(
                f"{self._database} is in use by another process: stop {who} first, or {_ADVICE}."
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Free the lock. Idempotent. The file stays: removing it would let two processes lock two files."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def check_path(path: Path) -> None:
    """Refuse a path that cannot be a database.

    Raises:
        StartupError: It is a directory, or its directory is missing or cannot be written.
    """
    if path.is_dir():
        raise StartupError(
            f"{path} is a directory: name a file in it, for example --db sqlite:///{path}/switchroom.db."
        )
    if not path.parent.is_dir():
        raise StartupError(f"The directory {path.parent} does not exist: create it, or {_ADVICE}.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StartupError(f"The directory {path.parent} is not writable: change its owner or mode, or {_ADVICE}.")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise StartupError(f"{path} is not writable: change its owner or mode, or {_ADVICE}.")


def open_writer(path: Path) -> sqlite3.Connection:
    """Return the one writing connection, its schema up to date. The caller holds the lock.

    Raises:
        StartupError: It is no database, or of another program, or of a newer version.
        DatabaseDamaged: It was ours and can no longer be read.
    """
    try:
        # Other people's data: readable by its owner alone, and SQLite gives its side files the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, timeout=WRITER_BUSY_MS / 1000, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, str(error)) from error
    try:
        _check_owner(path, connection)
        _configure(path, connection)
        _migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        if is_damage(error) and is_ours(path):
            raise DatabaseDamaged(advice(path, error)) from error
        raise _database_error(path, error) from error
    except StartupError:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a read-only connection, to be used by one thread at a time."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=2.0)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -8192")
    return connection


def _check_owner(path: Path, connection: sqlite3.Connection) -> None:
    application_id = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application_id != APPLICATION_ID:
        raise StartupError(f"{path} is a database of another program: {_ADVICE}.")
    newest = read_migrations()[-1].version
    if version > newest:
        raise StartupError(
            f"{path} was written by a newer version of Switchroom (schema {version}, this one knows {newest}): "
            f"upgrade, or {_ADVICE}."
        )


def _configure(path: Path, connection: sqlite3.Connection) -> None:
    # Only takes effect before the first table, and lets freed pages go back to the file system in steps.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StartupError(f"The file system of {path} does not support write-ahead logging: {_ADVICE}.")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # whoever commits must not wait for one
    connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA secure_delete = OFF")


def _migrate(connection: sqlite3.Connection) -> None:
    version = _pragma(connection, "user_version")
    for migration in read_migrations():
        if migration.version <= version:
            continue
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{migration.script}\n"
                f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {migration.version}; COMMIT;"
            )
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def _database_error(path: Path, error: sqlite3.Error) -> StartupError:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
        return StartupError(f"{path} is not an SQLite database: {_ADVICE}.")
    return _unusable(path, str(error))


def _unusable(path: Path, reason: str) -> StartupError:
    return StartupError(f"Cannot use {path} ({reason}): check the path and its permissions, or {_ADVICE}.")
