"""Where every log ends, as the writer knows it, and cutting logs back to their bounds.

`seq` has no gaps and every row says how many bytes came before it, so both bounds are differences of
two numbers and nothing is ever counted. For the writer's thread only.
"""

from __future__ import annotations

import sqlite3

from ...models import Event
from ..base import Retention
from ..limits import EVENT_OVERHEAD_BYTES, bytes_threshold, count_threshold, kept_bytes
from .statements import read_statements

_MAX_KNOWN = 200_000

EventRow = tuple[object, ...]


class _LogEnd:
    __slots__ = ("end", "last_seq", "start", "trimmed_seq")

    def __init__(self, last_seq: int, end: int, trimmed_seq: int, start: int) -> None:
        self.last_seq = last_seq
        self.end = end
        """Bytes ever written."""
        self.trimmed_seq = trimmed_seq
        self.start = start
        """Bytes dropped."""


class LogEnds:
    """The ends of the logs written to lately; others are read when they are needed."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._sql = read_statements("log")
        self._ends: dict[int, _LogEnd] = {}
        self._touched: set[int] = set()
        self._untrimmed: set[int] = set()
        """Written to by transactions that left long logs to a later one."""
        self._count_threshold = count_threshold(retention.max_events)
        self._bytes_threshold = bytes_threshold(retention.max_bytes)

    def row(self, connection: sqlite3.Connection, session_no: int, event: Event) -> EventRow:
        """Return the row to insert for the next event of a log."""
        end = self._ends.get(session_no)
        if end is None:
            end = self._ends[session_no] = self._read(connection, session_no, event.seq)
        self._touched.add(session_no)
        seq, epoch, at, direction, kind, *rest = event
        start = end.end
        end.end = start + kept_bytes(event)
        end.last_seq = seq
        # `str` of a text enum costs a call; the binding of sqlite3 wants exactly a `str`.
        return (session_no, seq, epoch, at, direction.value, kind.value, *rest, start)

    def trim(self, connection: sqlite3.Connection, longest: int | None = None) -> None:
        """Cut back the logs written to lately that have outgrown their bounds and slack.

        Args:
            longest: Leave logs with more events than this to a later transaction.
        """
        for session_no in self._touched | self._untrimmed:
            end = self._ends.get(session_no)
            if end is None or (longest is not None and end.last_seq - end.trimmed_seq > longest):
                continue
            if end.last_seq - end.trimmed_seq > self._count_threshold:
                self._drop(connection, session_no, end, end.last_seq - self._retention.max_events)
            if end.end - end.start > self._bytes_threshold:
                self._drop(connection, session_no, end, self._first_within_bytes(connection, session_no, end) - 1)

    def committed(self, *, is_trimmed: bool = True) -> None:
        """What was done since the last commit holds."""
        if is_trimmed:
            self._untrimmed.clear()
        else:
            self._untrimmed |= self._touched
        self._touched.clear()
        if len(self._ends) > _MAX_KNOWN:
            self._ends.clear()

    def rolled_back(self) -> None:
        """Forget what was done since the last commit."""
        for session_no in self._touched:
            self._ends.pop(session_no, None)
        self._touched.clear()

    def forget(self, session_no: int) -> None:
        """Read a log's end again the next time."""
        self._ends.pop(session_no, None)

    def _read(self, connection: sqlite3.Connection, session_no: int, next_seq: int) -> _LogEnd:
        newest = connection.execute(self._sql["newest"], (session_no,)).fetchone()
        if newest is None:
            return _LogEnd(next_seq - 1, 0, next_seq - 1, 0)
        last_seq, last_start, payload_bytes = newest
        oldest_seq, oldest_start = connection.execute(self._sql["oldest"], (session_no,)).fetchone()
        return _LogEnd(last_seq, last_start + EVENT_OVERHEAD_BYTES + payload_bytes, oldest_seq - 1, oldest_start)

    def _drop(self, connection: sqlite3.Connection, session_no: int, end: _LogEnd, upto: int) -> None:
        if upto <= end.trimmed_seq:
            return
        connection.execute(self._sql["drop"], (session_no, upto))
        connection.execute(self._sql["note_trimmed"], {"session": session_no, "seq": upto})
        end.trimmed_seq = upto
        end.start = self._start(connection, session_no, upto + 1)

    def _first_within_bytes(self, connection: sqlite3.Connection, session_no: int, end: _LogEnd) -> int:
        """Return the lowest `seq` from which on the log fits its bytes; the newest event always stays."""
        low, high = end.trimmed_seq + 1, end.last_seq
        while low < high:
            middle = (low + high) // 2
            if end.end - self._start(connection, session_no, middle) <= self._retention.max_bytes:
                high = middle
            else:
                low = middle + 1
        return low

    def _start(self, connection: sqlite3.Connection, session_no: int, seq: int) -> int:
        (start,) = connection.execute(self._sql["start"], (session_no, seq)).fetchone()
        return int(start)
