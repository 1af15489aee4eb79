"""Stored keys in SQLite."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from ...errors import SwitchroomError
from ...models import StoredKey
from ..base import KeyLimits, KeyWrite
from ..limits import check_key_limits, check_version
from ..text import json_text, plain_text
from .queue import WriteQueue
from .readers import Readers
from .statements import read_statements

_PIECE = 1_000
"""Keys removed in one transaction."""


class SqliteKeyValues:
    """Writes are transactions of the writer, synced before they are acknowledged."""

    def __init__(self, queue: WriteQueue, readers: Readers, clock: Callable[[], float]) -> None:
        self._queue = queue
        self._readers = readers
        self._clock = clock
        self._sql = read_statements("kv")

    async def get(self, session_no: int, name: str) -> StoredKey | None:
        where = self._where(session_no, name)
        return await self._readers.run(lambda connection: self._get(connection, where))

    async def sealed(self, session_no: int, name: str) -> bytes | None:
        where = self._where(session_no, name)
        row = await self._readers.run(lambda connection: connection.execute(self._sql["sealed"], where).fetchone())
        return row[0] if row is not None else None

    async def put(
        self,
        session_no: int,
        name: str,
        value: str | None,
        *,
        sealed: bytes | None = None,
        key_id: str | None = None,
        size_bytes: int,
        expires_at: float | None = None,
        if_version: int | None = None,
        limits: KeyLimits,
    ) -> StoredKey:
        where = self._where(session_no, name)
        kept_value, kept_key_id = json_text(value), plain_text(key_id)
        columns = {"value": kept_value, "sealed": sealed, "key_id": kept_key_id, "expires": expires_at}

        def work(connection: sqlite3.Connection) -> StoredKey:
            version = self._version(connection, where)
            check_version(name, version, if_version)
            self._put(connection, where, columns | {"version": version + 1, "size": size_bytes}, limits)
            return StoredKey(name, kept_value, version + 1, size_bytes, where["now"], expires_at, kept_key_id)

        return await self._queue.submit(work, is_synced=True)

    async def apply(self, session_no: int, writes: Sequence[KeyWrite], *, limits: KeyLimits) -> None:
        # Deletions first: they make room for the rest.
        ordered = sorted(writes, key=lambda write: write.version is not None)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("SAVEPOINT writes")
            try:
                for write in ordered:
                    self._apply(connection, self._where(session_no, write.name), write, limits)
            except SwitchroomError:
                connection.execute("ROLLBACK TO writes")
                raise
            finally:
                connection.execute("RELEASE writes")

        await self._queue.submit(work, is_synced=True)

    def _apply(self, connection: sqlite3.Connection, where: dict[str, Any], write: KeyWrite, limits: KeyLimits) -> None:
        check_version(write.name, self._version(connection, where), write.if_version)
        if write.version is None:
            connection.execute(self._sql["delete"], where)
            return
        columns = {"value": json_text(write.value), "sealed": write.sealed, "key_id": plain_text(write.key_id)}
        kept = {"version": write.version, "size": write.size_bytes, "expires": write.expires_at}
        self._put(connection, where, columns | kept, limits)

    def _version(self, connection: sqlite3.Connection, where: dict[str, Any]) -> int:
        present = self._get(connection, where)
        return present.version if present is not None else 0

    def _put(
        self, connection: sqlite3.Connection, where: dict[str, Any], columns: dict[str, Any], limits: KeyLimits
    ) -> None:
        other_keys, other_bytes = connection.execute(self._sql["others"], where).fetchone()
        check_key_limits(limits, other_keys=other_keys, other_bytes=other_bytes, size_bytes=columns["size"])
        connection.execute(self._sql["put"], where | columns)

    async def delete(self, session_no: int, name: str, *, if_version: int | None = None) -> bool:
        where = self._where(session_no, name)

        def work(connection: sqlite3.Connection) -> bool:
            present = self._get(connection, where)
            if present is None:
                return False
            check_version(name, present.version, if_version)
            connection.execute(self._sql["delete"], where)
            return True

        return await self._queue.submit(work, is_synced=True)

    async def list(self, session_no: int) -> list[StoredKey]:
        where = {"session": session_no, "now": self._clock()}
        rows = await self._readers.run(lambda connection: connection.execute(self._sql["list"], where).fetchall())
        return [_key(row) for row in rows]

    async def count(self, session_no: int) -> int:
        where = {"session": session_no, "now": self._clock()}
        (count,) = await self._readers.run(lambda connection: connection.execute(self._sql["count"], where).fetchone())
        return int(count)

    async def clear(self, session_no: int) -> int:
        where = {"session": session_no, "now": self._clock()}

        def work(connection: sqlite3.Connection) -> int:
            (count,) = connection.execute(self._sql["count"], where).fetchone()
            connection.execute(self._sql["clear"], where)
            return int(count)

        return await self._queue.submit(work, is_synced=True)

    async def drop_expired(self, now: float) -> builtins.list[tuple[int, str]]:
        due = {"now": now, "limit": _PIECE}
        # Asked every other second: a look that finds nothing must not cost a transaction.
        if not await self._readers.run(lambda connection: connection.execute(self._sql["has_expired"], due).fetchone()):
            return []
        rows = await self._queue.maintain(
            lambda connection: connection.execute(self._sql["drop_expired"], due).fetchall()
        )
        return [(session_no, name.decode("utf-8", "surrogatepass")) for session_no, name in rows]

    def _get(self, connection: sqlite3.Connection, where: dict[str, Any]) -> StoredKey | None:
        row = connection.execute(self._sql["get"], where).fetchone()
        return _key(row) if row is not None else None

    def _where(self, session_no: int, name: str) -> dict[str, Any]:
        return {"session": session_no, "name": name.encode("utf-8", "surrogatepass"), "now": self._clock()}


def _key(row: builtins.list[Any]) -> StoredKey:
    name, *rest = row
    return StoredKey(name.decode("utf-8", "surrogatepass"), *rest)
