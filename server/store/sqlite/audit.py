"""The audit log in SQLite: synced, chained, with its key in a file of its own."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...errors import StartupError
from ...models import AuditEntry
from ..audit_chain import AuditChain, AuditHead, AuditRow, merge, new_row
from ..base import AuditQuery, AuditRecord
from ..limits import page_size
from ..text import plain_text
from .filter_sql import AUDIT_COLUMNS, Conditions
from .queue import WriteQueue
from .readers import Readers
from .statements import read_statements

logger = logging.getLogger(__name__)

_KEY_BYTES = 32
_HEAD = "audit_head"
_VERIFY_SECONDS = 120.0
"""Every row is read and signed again: some 5 µs each."""


_CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "actor": " AND actor = :actor",
        "action": " AND action = :action",
        "target": """ AND (instr(target, :target) > 0 OR EXISTS (
            SELECT 1 FROM audit o WHERE o.action_id = a.action_id AND instr(o.detail, :target) > 0
        ) OR EXISTS (SELECT 1 FROM audit_result r WHERE r.session = :target AND r.action_id = a.action_id))""",
    }
)


class SqliteAuditLog:
    """Each row is committed in full, together with the new head, before its number is returned."""

    def __init__(self, queue: WriteQueue, readers: Readers, key_path: Path, clock: Callable[[], float]) -> None:
        self._queue = queue
        self._readers = readers
        self._key_path = key_path
        self._clock = clock
        self._sql = read_statements("audit")
        self._meta = read_statements("session")
        self._chain: AuditChain

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Read the key, or make it on the first run; on the writer's thread.

        Raises:
            StartupError: The key file cannot be used.
        """
        self._chain = AuditChain(_read_or_make_key(self._key_path))
        self.log_head(connection)

    def log_head(self, connection: sqlite3.Connection) -> None:
        """Write to the process's log where the chain ends, so that a database put back to an older copy is noticed."""
        head = self._head(connection)
        if head is not None:
            logger.info("the audit log ends at row %d with hash %s", head.id, head.hash.hex())

    async def record(self, record: AuditRecord) -> int:
        row = new_row(self._clock(), record)

        def work(connection: sqlite3.Connection) -> int:
            (newest_id,) = connection.execute(self._sql["newest_id"]).fetchone()
            linked, head = self._chain.link(row, self._head(connection), newest_id)
            connection.execute(self._sql["append"], linked)
            connection.execute(self._meta["set_meta"], (_HEAD, b"%d:%b%b" % (head.id, head.hash, head.mac)))
            return linked.id

        return await self._queue.submit(work, is_synced=True)

    async def query(self, query: AuditQuery) -> list[AuditEntry]:
        wanted = {"actor": query.actor, "action": query.action, "target": query.target}
        parameters: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        conditions = "".join(_CONDITIONS[name] for name in parameters)
        if query.before is not None:
            conditions += " AND id < :before"
            parameters["before"] = query.before
        if query.matching is not None:
            more = Conditions(query.matching, self._clock(), AUDIT_COLUMNS)
            conditions, parameters = conditions + more.text, parameters | more.parameters
        return await self._entries(conditions, parameters | {"limit": page_size(query.limit)})

    async def get(self, action_id: str) -> AuditEntry | None:
        entries = await self._entries(" AND action_id = :action_id", {"action_id": action_id, "limit": 1})
        return entries[0] if entries else None

    def add_results(self, action_id: str, results: Sequence[tuple[str, str]]) -> asyncio.Future[None]:
        now = self._clock()
        rows = [(now, action_id, session, plain_text(result)) for session, result in results]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(self._sql["add_result"], rows)

        return self._queue.submit(work, is_kept=True)

    async def results(
        self, action_id: str, *, result: str | None = None, after: str = "", limit: int = 100
    ) -> list[tuple[str, str]]:
        parameters = {"action_id": action_id, "result": result, "after": after, "limit": page_size(limit)}
        statement = self._sql["results"]
        return await self._readers.run(lambda connection: connection.execute(statement, parameters).fetchall())

    async def result_counts(self, action_id: str) -> dict[str, int]:
        statement = self._sql["result_counts"]
        return await self._readers.run(lambda connection: dict(connection.execute(statement, (action_id,)).fetchall()))

    async def unfinished(self, *, limit: int = 50) -> list[str]:
        statement, most = self._sql["unfinished"], (page_size(limit),)
        return await self._readers.run(lambda connection: [row[0] for row in connection.execute(statement, most)])

    async def verify(self) -> int | None:
        def work(connection: sqlite3.Connection) -> int | None:
            rows = map(AuditRow._make, connection.execute(self._sql["all"]))
            return self._chain.first_break(rows, self._head(connection))

        return await self._readers.run(work, seconds=_VERIFY_SECONDS)

    async def _entries(self, conditions: str, parameters: dict[str, Any]) -> list[AuditEntry]:
        statement = self._sql["actions"].format(conditions=conditions)

        def work(connection: sqlite3.Connection) -> list[AuditEntry]:
            firsts = map(AuditRow._make, connection.execute(statement, parameters).fetchall())
            return [merge(first, self._outcome(connection, first.action_id)) for first in firsts]

        return await self._readers.run(work)

    def _outcome(self, connection: sqlite3.Connection, action_id: str) -> AuditRow | None:
        row = connection.execute(self._sql["outcome"], (action_id,)).fetchone()
        return AuditRow._make(row) if row is not None else None

    def _head(self, connection: sqlite3.Connection) -> AuditHead | None:
        row = connection.execute(self._meta["get_meta"], (_HEAD,)).fetchone()
        if row is None:
            return None
        number, _, hashes = bytes(row[0]).partition(b":")
        return AuditHead(int(number), hashes[:32], hashes[32:])


def _read_or_make_key(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(path)
    except OSError as error:
        raise StartupError(
            f"The audit key {path} cannot be made ({error.strerror}): make its directory writable."
        ) from error
    key = secrets.token_bytes(_KEY_BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.hex().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return key


def _read_key(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise StartupError(f"The audit key {path} can be read by others: run chmod 600 on it.")
        key = bytes.fromhex(path.read_text("ascii"))
    except (OSError, ValueError) as error:
        raise StartupError(f"The audit key {path} cannot be read: restore it from a backup.") from error
    if len(key) != _KEY_BYTES:
        raise StartupError(f"The audit key {path} is damaged: restore it from a backup.")
    return key
