"""The log of the whole server: events of all sessions in the order they were appended, newest first.

Every read is bounded. What has an index is found through it: the events of few sessions, errors, and the
kinds that are rare. Anything else is looked for window by window until the page is full or time is up.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ...models import EventKind, ServerEvent, ServerLogPage, SessionKind
from ..base import MAX_PAGE_BYTES, ServerLogQuery
from ..limits import kept_bytes, page_size
from .records import to_event

_WINDOW: Final = 20_000
"""Rows looked at between two looks at the clock: some 20 ms."""
_INDEXED_WINDOW: Final = 1_000_000
_SEARCH_SECONDS: Final = 0.4
_FEW_SESSIONS: Final = 50
"""Up to this many sessions are read one by one through their own index and merged."""
_LATE_SECONDS: Final = 10.0
"""How far the time of an event may lie behind that of one appended before it."""
_COMMON: Final = frozenset({EventKind.REQUEST, EventKind.RESPONSE, EventKind.NOTIFICATION})
_UNINDEXED: Final = "NOT INDEXED"
_SMALL_PAYLOAD: Final = (
    "CASE WHEN (e.kind = 'request' AND e.size <= 32768) OR (e.kind IN ('key', 'lifecycle', 'operator') "
    "AND e.size <= 4096) THEN e.payload END"
)


class ServerLogReader:
    """One read of the log, on a reading connection."""

    def __init__(
        self, sql: Mapping[str, str], query: ServerLogQuery, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._sql = sql
        self._query = query
        self._limit = page_size(query.limit)
        self._now = now
        conditions, self._parameters = _conditions(query)
        self._conditions = "".join(f" AND {condition}" for condition in conditions)

    def read(self, connection: sqlite3.Connection) -> ServerLogPage:
        """Return the page."""
        first, last = self._bounds(connection)
        if first >= last:
            return ServerLogPage([], None, False)
        sessions = self._query.sessions
        if sessions is not None and len(sessions) <= _FEW_SESSIONS:
            return self._of_few(connection, sessions, first, last)
        return self._by_windows(connection, first, last)

    def statement(self) -> str:
        """Return the statement that reads one window."""
        index, conditions = self._index()
        return self._complete(index, conditions, "e.id")

    def _bounds(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """Return the ids between which to look, both exclusive."""
        query = self._query
        (oldest,) = connection.execute(self._sql["oldest_id"]).fetchone()
        (newest,) = connection.execute(self._sql["newest_id"]).fetchone()
        first, last = max(query.after, oldest - 1), min(query.before or newest + 1, newest + 1)
        if query.since is not None:
            first = max(first, self._find(connection, query.since - _LATE_SECONDS, first + 1, last) - 1)
        if query.until is not None:
            last = min(last, self._find(connection, query.until + _LATE_SECONDS, first + 1, last))
        return first, last

    def _find(self, connection: sqlite3.Connection, at: float, low: int, high: int) -> int:
        """Return the first id from `low` on whose event is not older than `at`, or `high`."""
        while low < high:
            middle = (low + high) // 2
            row = connection.execute(self._sql["at_or_after"], (middle,)).fetchone()
            if row is not None and row[0] < at:
                low = middle + 1
            else:
                high = middle
        return low

    def _by_windows(self, connection: sqlite3.Connection, first: int, last: int) -> ServerLogPage:
        index, _ = self._index()
        window = _WINDOW if index == _UNINDEXED else _INDEXED_WINDOW
        statement = self.statement()
        deadline = self._now() + _SEARCH_SECONDS
        events: list[ServerEvent] = []
        while last - 1 > first:
            floor = max(first, last - 1 - window)
            rows = self._rows(connection, statement, floor, last)
            page = self._page(events, rows)
            if page is not None:
                return page
            last = floor + 1
            if self._now() > deadline and last - 1 > first:
                return ServerLogPage(events, last, True)
        return ServerLogPage(events, None, False)

    def _of_few(self, connection: sqlite3.Connection, sessions: frozenset[int], first: int, last: int) -> ServerLogPage:
        conditions = f"{self._conditions} AND e.session = :session"
        statement = self._complete("INDEXED BY event_session_seq", conditions, "e.seq")
        logs = [self._rows(connection, statement, first, last, session=session) for session in sorted(sessions)]
        # Within one session the order of appending is the order of `seq`.
        merged = heapq.merge(*logs, key=lambda each: each.id, reverse=True)
        events: list[ServerEvent] = []
        return self._page(events, merged) or ServerLogPage(events, None, False)

    def _rows(
        self, connection: sqlite3.Connection, statement: str, first: int, last: int, **more: Any
    ) -> Iterator[ServerEvent]:
        bounds = {"after": first, "before": last, "limit": self._limit + 1}
        return map(_server_event, connection.execute(statement, self._parameters | bounds | more))

    def _page(self, events: list[ServerEvent], rows: Iterator[ServerEvent]) -> ServerLogPage | None:
        """Add rows; return the page when it is full."""
        size = sum(kept_bytes(each.event) for each in events)
        for row in rows:
            size += kept_bytes(row.event)
            if len(events) == self._limit or (events and size > MAX_PAGE_BYTES):
                return ServerLogPage(events, events[-1].id, False)
            events.append(row)
        return None

    def _index(self) -> tuple[str, str]:
        """Return the index to read through, if one fits, and the conditions that prove it does."""
        query = self._query
        if query.errors_only:
            return "INDEXED BY event_errors", self._conditions
        if len(query.kinds) == 1 and query.kinds[0] not in _COMMON:
            rare = " AND e.kind NOT IN ('request', 'response', 'notification')"
            return "INDEXED BY event_rare", self._conditions + rare
        return _UNINDEXED, self._conditions

    def _complete(self, index: str, conditions: str, order: str) -> str:
        payload = "e.payload" if self._query.with_payloads else _SMALL_PAYLOAD
        return self._sql["server_read"].format(index=index, conditions=conditions, order=order, payload=payload)


def _server_event(row: tuple[Any, ...]) -> ServerEvent:
    number, reference, kind, client, *event = row
    return ServerEvent(number, reference, SessionKind(kind), client, to_event(tuple(event)))


def _conditions(query: ServerLogQuery) -> tuple[list[str], dict[str, Any]]:
    wanted: list[tuple[str, str, Any]] = [
        ("e.method = :method", "method", query.method),
        ("e.direction = :direction", "direction", query.direction.value if query.direction else None),
        ("e.at >= :since", "since", query.since),
        ("e.at < :until", "until", query.until),
    ]
    conditions = [condition for condition, _, value in wanted if value is not None]
    parameters = {name: value for _, name, value in wanted if value is not None}
    if query.errors_only:
        conditions.append("e.error_code IS NOT NULL")
    if len(query.kinds) == 1:
        conditions.append("e.kind = :kind0")
        parameters["kind0"] = query.kinds[0].value
    elif query.kinds:
        names = {f"kind{number}": kind.value for number, kind in enumerate(query.kinds)}
        conditions.append(f"e.kind IN ({', '.join(f':{name}' for name in names)})")
        parameters |= names
    if query.sessions is not None and len(query.sessions) > _FEW_SESSIONS:
        conditions.append("e.session IN (SELECT value FROM json_each(:sessions))")
        parameters["sessions"] = json.dumps(sorted(query.sessions))
    return conditions, parameters
