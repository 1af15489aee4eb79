"""Event logs in SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

from ...models import Event, EventPage, ServerLogPage
from ..base import EventQuery, ServerLogQuery, Tail
from ..fanout import Fanout
from ..limits import dropped_before, kept_bytes, page_size
from ..text import clean_event
from .queue import WriteQueue
from .readers import Readers
from .records import to_event
from .server_log import ServerLogReader
from .statements import read_statements


class SqliteEventLog:
    """Appends go to the writer, reads to the readers, and committed events to the tails."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._fanout = Fanout(self.read)
        self._queue: WriteQueue
        self._sql = read_statements("log")
        self.publish = self._fanout.publish

    def use(self, queue: WriteQueue) -> None:
        """Take the queue, which itself publishes through this log."""
        self._queue = queue

    def append(self, session_no: int, event: Event) -> asyncio.Future[None]:
        return self._queue.append(session_no, clean_event(event))

    def write(self, session_no: int, event: Event) -> None:
        self._queue.write(session_no, clean_event(event))

    async def read(self, session_no: int, query: EventQuery) -> EventPage:
        conditions, parameters = _conditions(query)
        payload = "payload" if query.payload_up_to is None else "CASE WHEN size <= :payload_up_to THEN payload END"
        order = "DESC" if query.newest_first else "ASC"
        statement = self._sql["read"].format(payload=payload, conditions=conditions, order=order)
        limit = page_size(query.limit)
        parameters |= {"session": session_no, "after": query.after, "limit": limit + 1}
        if query.payload_up_to is not None:
            parameters["payload_up_to"] = query.payload_up_to

        def work(connection: sqlite3.Connection) -> EventPage:
            events, has_more = _page(connection.execute(statement, parameters), limit, query.max_bytes)
            (trimmed_seq,) = connection.execute(self._sql["trimmed"], {"session": session_no}).fetchone()
            if query.stream is not None:
                of_stream = {"session": session_no, "stream": query.stream}
                (upto,) = connection.execute(self._sql["stream_trimmed"], of_stream).fetchone()
                trimmed_seq = max(trimmed_seq, upto)
            return EventPage(events, dropped_before(query, trimmed_seq, has_more), has_more)

        return await self._readers.run(work)

    async def get(self, session_no: int, seq: int) -> Event | None:
        page = await self.read(session_no, EventQuery(after=seq - 1, before=seq + 1, limit=1))
        return page.events[0] if page.events else None

    async def read_all(self, query: ServerLogQuery) -> ServerLogPage:
        return await self._readers.run(ServerLogReader(self._sql, query).read)

    async def newest_id(self) -> int:
        def work(connection: sqlite3.Connection) -> int:
            (newest,) = connection.execute(self._sql["newest_id"]).fetchone()
            return int(newest)

        return await self._readers.run(work)

    def tail(self, session_no: int, after: int, *, stream: int | None = None) -> Tail:
        return self._fanout.follow(session_no, after, stream)

    def close(self) -> None:
        """End every tail."""
        self._fanout.close()


def _page(rows: sqlite3.Cursor, limit: int, max_bytes: int) -> tuple[list[Event], bool]:
    events: list[Event] = []
    page_bytes = 0
    for row in rows:
        event = to_event(row)
        page_bytes += kept_bytes(event)
        if len(events) == limit or (events and page_bytes > max_bytes):
            return events, True
        events.append(event)
    return events, False


def _conditions(query: EventQuery) -> tuple[str, dict[str, Any]]:
    wanted: list[tuple[str, str, Any]] = [
        ("seq < :before", "before", query.before),
        ("stream = :stream", "stream", query.stream),
        ("method = :method", "method", query.method),
        ("direction = :direction", "direction", query.direction.value if query.direction else None),
        ("request_id = :request_id", "request_id", query.request_id),
        ("at >= :since", "since", query.since),
        ("at < :until", "until", query.until),
    ]
    conditions = [condition for condition, _, value in wanted if value is not None]
    parameters = {name: value for _, name, value in wanted if value is not None}
    if query.errors_only:
        conditions.append("error_code IS NOT NULL")
    if query.kinds:
        names = {f"kind{number}": kind.value for number, kind in enumerate(query.kinds)}
        conditions.append(f"kind IN ({', '.join(f':{name}' for name in names)})")
        parameters |= names
    return "".join(f" AND {condition}" for condition in conditions), parameters
