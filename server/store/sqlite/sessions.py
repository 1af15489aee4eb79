"""Sessions in SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ...filters import Filter
from ...filters.fields import ValueKind
from ...models import EndedId, SessionRecord
from ..ended import parse_sort
from ..limits import page_size
from .filter_sql import Conditions
from .queue import WriteQueue
from .readers import Readers
from .records import COLUMNS, to_ended_id, to_record, to_row
from .statements import read_statements
from .sweep import Sweep

_SORT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "last_activity_at": "last_activity",
        "created_at": "created",
        "request_count": "requests",
        "error_count": "errors",
        "client_name": "client",
        "key_count": "keys",
    }
)


def _index(query: Filter, column: str) -> str:
    """Return which index a page is found through.

    In their own order and unfiltered it is at an index's end; anything else looks at all of them. A condition on the
    state may contradict what the index holds, which SQLite takes for an error when it is told to use it.
    """
    if any(term.field.kind is ValueKind.STATE for term in query.terms):
        return ""
    return f"INDEXED BY {'session_ended' if query.is_empty and column == 'last_activity' else 'session_counted'}"


class SqliteRegistry:
    """Rows are queued as they are at the call; numbers are handed out from memory."""

    def __init__(self, queue: WriteQueue, readers: Readers, sweep: Sweep, clock: Callable[[], float]) -> None:
        self._queue = queue
        self._readers = readers
        self._sweep = sweep
        self._clock = clock
        self._sql = read_statements("session")
        self._highest_no = 0
        self.ended_version = 0

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Find where numbering goes on; on the writer's thread, before anything is written."""
        (self._highest_no,) = connection.execute(self._sql["highest_no"]).fetchone()

    def note_highest_no(self, connection: sqlite3.Connection) -> None:
        """Keep the highest number, in case the sessions that prove it are removed; on the writer's thread."""
        connection.execute(self._sql["set_meta"], ("highest_no", self._highest_no))

    def allocate(self) -> int:
        self._highest_no += 1
        return self._highest_no

    def save(self, record: SessionRecord) -> asyncio.Future[None]:
        saved = self._queue.save({record.no: to_row(record)})
        if not record.state.is_live:
            saved.add_done_callback(self._note_ended)
        return saved

    def save_many(self, records: Sequence[SessionRecord]) -> asyncio.Future[None]:
        return self._queue.save({record.no: to_row(record) for record in records})

    async def load_live(self) -> list[SessionRecord]:
        return await self._records(self._sql["live"], {})

    async def find(self, *, sid_hash: bytes | None = None, session_id: str | None = None) -> SessionRecord | None:
        if sid_hash is not None:
            records = await self._records(self._sql["by_hash"], {"sid_hash": sid_hash})
        else:
            records = await self._records(self._sql["by_reference"], {"sref": session_id})
        return records[0] if records else None

    async def ended_id(self, sid_hash: bytes) -> EndedId | None:
        row = await self._readers.run(
            lambda connection: connection.execute(self._sql["remembered"], (sid_hash,)).fetchone()
        )
        return to_ended_id(row) if row is not None else None

    async def ended(
        self,
        query: Filter,
        *,
        now: float,
        sort: str = "-last_seen",
        limit: int = 50,
        after: tuple[float | int | str, str] | None = None,
    ) -> list[SessionRecord]:
        attribute, is_descending = parse_sort(sort)
        column = _SORT_COLUMNS[attribute]
        conditions = Conditions(query, now)
        text, parameters = conditions.text, conditions.parameters | {"limit": page_size(limit)}
        if after is not None:
            text += f" AND ({column}, sref) {'<' if is_descending else '>'} (:after_value, :after_id)"
            parameters |= {"after_value": after[0], "after_id": after[1]}
        direction = "DESC" if is_descending else "ASC"
        statement = self._sql["ended"].format(
            columns=COLUMNS,
            figures=self._sql["figures"],
            conditions=text,
            sort=column,
            direction=direction,
            index=_index(query, column),
        )

        def work(connection: sqlite3.Connection) -> list[SessionRecord]:
            rows = connection.execute(statement, parameters)
            return [to_record(row, last_seq=row[-2]) for row in rows]

        return await self._readers.run(work)

    async def count_ended(self, query: Filter, *, now: float) -> dict[str, int]:
        conditions = Conditions(query, now)
        statement = self._sql["count_ended"].format(conditions=conditions.text)
        return await self._readers.run(
            lambda connection: dict(connection.execute(statement, conditions.parameters).fetchall())
        )

    async def ended_numbers(self, query: Filter, *, now: float, limit: int) -> list[int]:
        conditions = Conditions(query, now)
        statement = self._sql["ended_numbers"].format(conditions=conditions.text)
        parameters = conditions.parameters | {"limit": limit}
        return await self._readers.run(lambda connection: [no for (no,) in connection.execute(statement, parameters)])

    async def sweep(self, now: float) -> int:
        removed = await self._sweep.run(now)
        self.ended_version += 1
        return removed

    def _note_ended(self, saved: asyncio.Future[None]) -> None:
        self.ended_version += 1

    async def _records(self, statement: str, parameters: dict[str, Any]) -> list[SessionRecord]:
        complete = statement.format(columns=COLUMNS, figures=self._sql["figures"])
        parameters = parameters | {"now": self._clock()}

        def work(connection: sqlite3.Connection) -> list[SessionRecord]:
            rows = connection.execute(complete, parameters)
            return [to_record(row, last_seq=row[-2], key_count=row[-1]) for row in rows]

        return await self._readers.run(work)
