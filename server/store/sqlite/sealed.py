"""Sealed texts in SQLite, for re-sealing them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ..base import SealedRow
from .queue import WriteQueue
from .readers import Readers
from .statements import read_statements


class SqliteSealedRows:
    """Reads by the readers, replaces in the writer's transactions, synced before they are acknowledged."""

    def __init__(self, queue: WriteQueue, readers: Readers) -> None:
        self._queue = queue
        self._readers = readers
        self._sql = read_statements("sealed")

    async def stale(self, newest: str, *, after: SealedRow | None = None, limit: int = 100) -> list[SealedRow]:
        def work(connection: sqlite3.Connection) -> list[SealedRow]:
            if after is None or after.table == "kv":
                if found := self._values(connection, newest, after, limit):
                    return found
                return self._events(connection, newest, (-1, 0), limit)
            return self._events(connection, newest, (after.session_no, int(after.name)), limit)

        return await self._readers.run(work)

    def _values(
        self, connection: sqlite3.Connection, newest: str, after: SealedRow | None, limit: int
    ) -> list[SealedRow]:
        position = {"session": after.session_no, "name": _blob(after.name)} if after else {"session": -1, "name": b""}
        rows = connection.execute(self._sql["stale_values"], {**position, "newest": newest, "limit": limit})
        return [
            SealedRow("kv", no, name.decode("utf-8", "surrogatepass"), sref, sealed.decode("ascii", "replace"))
            for no, name, sref, sealed in rows
        ]

    def _events(
        self, connection: sqlite3.Connection, newest: str, after: tuple[int, int], limit: int
    ) -> list[SealedRow]:
        values = {"session": after[0], "seq": after[1], "prefix": f"v1.{newest}.", "limit": limit}
        rows = connection.execute(self._sql["stale_events"], values)
        return [SealedRow("event", no, str(seq), sref, sealed) for no, seq, sref, sealed in rows]

    async def replace(self, rows: Sequence[tuple[SealedRow, str]], key_id: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            return sum(self._replace(connection, row, token, key_id) for row, token in rows)

        return await self._queue.submit(work, is_synced=True)

    def _replace(self, connection: sqlite3.Connection, row: SealedRow, token: str, key_id: str) -> int:
        if row.table == "event":
            values = {"new": token, "session": row.session_no, "seq": int(row.name), "old": row.sealed}
            return connection.execute(self._sql["replace_event"], values).rowcount
        new, old = token.encode("ascii"), row.sealed.encode("ascii", "replace")
        values = {"new": new, "key_id": key_id, "session": row.session_no, "name": _blob(row.name), "old": old}
        return connection.execute(self._sql["replace_value"], values).rowcount


def _blob(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")
