"""Copying what a damaged database still holds into a new one.

Rows are read from both ends of each table, so one damaged stretch costs the rows in it and no others.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from ...errors import StartupError
from .connection import FileLock, open_writer

_BATCH = 500


class Salvage(NamedTuple):
    """What was saved."""

    damaged: Path
    """Where the damaged file is now."""
    rows: dict[str, int]
    """Rows copied, by table."""
    broken: list[str]
    """Tables of which some rows could not be read."""


def salvage(path: Path) -> Salvage:
    """Put a new database in place of a damaged one, with every row that can be read; the damaged one is kept beside it.

    Raises:
        StartupError: A server has the file open, it is not there, or the new one cannot be written.
    """
    if not path.is_file():
        raise StartupError(f"There is no database at {path}: name the one that the server uses with --db.")
    lock = FileLock(path)
    lock.acquire()
    try:
        fresh = path.with_name(f"{path.name}.salvaged")
        fresh.unlink(missing_ok=True)
        rows, broken = _copy(path, fresh)
        return Salvage(_swap(path, fresh), rows, broken)
    finally:
        lock.release()


def _copy(path: Path, fresh: Path) -> tuple[dict[str, int], list[str]]:
    rows: dict[str, int] = {}
    broken: list[str] = []
    with closing(open_writer(fresh)) as target, closing(_open_damaged(path)) as source:
        for table in _tables(target):
            target.execute("BEGIN IMMEDIATE")
            rows[table], is_whole = _copy_table(source, target, table)
            target.execute("COMMIT")
            if not is_whole:
                broken.append(table)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return rows, broken


def _open_damaged(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [name for (name,) in found]


def _copy_table(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> tuple[int, bool]:
    columns = [row[1] for row in target.execute(f'PRAGMA table_info("{table}")')]
    keys = [row[1] for row in target.execute(f'PRAGMA table_info("{table}")') if row[5]] or ["rowid"]
    named = ", ".join(f'"{column}"' for column in columns)
    insert = f'INSERT OR REPLACE INTO "{table}" ({named}) VALUES ({", ".join("?" * len(columns))})'
    target.execute(f'DELETE FROM "{table}"')  # what a new database starts with, such as its own numbers
    is_whole = True
    for order in ("ASC", "DESC"):
        sorting = ", ".join(f'"{key}" {order}' for key in keys)
        reader = _Reader(source, f'SELECT {named} FROM "{table}" NOT INDEXED ORDER BY {sorting}')
        for batch in reader.batches():
            target.executemany(insert, batch)
        if not reader.is_broken:
            break
        is_whole = False
    (count,) = target.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    return count, is_whole


class _Reader:
    """Reads until the end or until the damage."""

    def __init__(self, connection: sqlite3.Connection, statement: str) -> None:
        self._connection = connection
        self._statement = statement
        self.is_broken = False

    def batches(self) -> Iterator[list[tuple[object, ...]]]:
        """Return the rows in lots, as far as they can be read."""
        rows: list[tuple[object, ...]] = []
        try:
            for row in self._connection.execute(self._statement):
                rows.append(row)
                if len(rows) == _BATCH:
                    yield rows
                    rows = []
        except sqlite3.DatabaseError:
            self.is_broken = True
        if rows:
            yield rows


def _swap(path: Path, fresh: Path) -> Path:
    """Give the new file the old one's name, and the old one, with its side files, a name of its own."""
    kept = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    for suffix in ("", "-wal", "-shm"):
        part = fresh.with_name(fresh.name + suffix)
        if part.exists():
            part.rename(path.with_name(path.name + suffix))
    return kept
