"""Where every log ends, as the writer knows it, and cutting logs back to their bounds.

`seq` has no gaps and every row says how many bytes came before it, so both bounds of a log are differences of
two numbers and nothing is counted; what was dropped of single streams comes off them. For whoever holds the
committer's lock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from ...models import ANSWERS, Direction, Event, EventKind
from ..base import Retention
from ..limits import EVENT_OVERHEAD_BYTES, bytes_threshold, count_threshold, kept_bytes
from ..streams import MAX_STREAMS, StreamBounds, StreamPieces, forget_short_streams
from .statements import read_statements

_MAX_KNOWN = 200_000

EventRow = tuple[object, ...]

_TEXT: Final[Mapping[Direction | EventKind, str]] = {each: each.value for each in (*Direction, *EventKind)}


class _LogEnd:
    __slots__ = ("end", "hole_bytes", "holes", "is_known", "last_seq", "start", "streams", "trimmed_seq")

    def __init__(self, last_seq: int, end: int, trimmed_seq: int, start: int, *, is_known: bool = False) -> None:
        self.last_seq = last_seq
        self.end = end
        """Bytes ever written."""
        self.trimmed_seq = trimmed_seq
        self.start = start
        """Bytes dropped."""
        self.holes = 0
        """Events after `trimmed_seq` that were dropped with their streams."""
        self.hole_bytes = 0
        self.streams: dict[int, StreamPieces] | None = None
        """What the server sent on streams, a call's answer alone excepted."""
        self.is_known = is_known
        """Whether it has been followed from its first event on."""

    @property
    def count(self) -> int:
        return self.last_seq - self.trimmed_seq - self.holes

    @property
    def size(self) -> int:
        return self.end - self.start - self.hole_bytes


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
        self._bounds = StreamBounds(retention)
        self._overdue: dict[int, set[int]] = {}
        """Streams over their bounds, by session."""

    def row(self, connection: sqlite3.Connection, session_no: int, event: Event) -> EventRow:
        """Return the row to insert for the next event of a log."""
        end = self._ends.get(session_no)
        if end is None:
            end = self._ends[session_no] = self._read(connection, session_no, event.seq)
        self._touched.add(session_no)
        start = end.end
        size = kept_bytes(event)
        # Most of what is sent are answers of calls that sent nothing else: they are not counted.
        if event.direction is Direction.FROM_SERVER and (end.streams or event.kind not in ANSWERS):
            self._count(session_no, end, event, size)
        end.end = start + size
        end.last_seq = event.seq
        # The binding of sqlite3 wants exactly a `str`, and to ask a text enum for its value costs a call.
        return (session_no, *event[:3], _TEXT[event.direction], _TEXT[event.kind], *event[5:], start)

    def trim(self, connection: sqlite3.Connection, longest: int | None = None) -> None:
        """Cut back the logs written to lately that have outgrown their bounds and slack.

        Args:
            longest: Leave logs with more events than this to a later transaction.
        """
        for session_no in self._touched | self._untrimmed:
            end = self._ends.get(session_no)
            if end is None or (longest is not None and end.last_seq - end.trimmed_seq > longest):
                continue
            if session_no in self._overdue:
                for stream in self._overdue.pop(session_no):
                    self._cut_stream(connection, session_no, end, stream)
            if end.holes and (end.count > self._count_threshold or end.size > self._bytes_threshold):
                self._cut_with_holes(connection, session_no, end)
                continue
            if end.count > self._count_threshold:
                self._drop(connection, session_no, end, end.last_seq - self._retention.max_events)
            if end.size > self._bytes_threshold:
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
            self._overdue.clear()

    def rolled_back(self) -> None:
        """Forget what was done since the last commit."""
        for session_no in self._touched | self._untrimmed:
            self.forget(session_no)
        self._touched.clear()

    def forget(self, session_no: int) -> None:
        """Read a log's end again the next time."""
        self._ends.pop(session_no, None)
        self._overdue.pop(session_no, None)

    def _read(self, connection: sqlite3.Connection, session_no: int, next_seq: int) -> _LogEnd:
        newest = connection.execute(self._sql["newest"], (session_no,)).fetchone()
        if newest is None:
            return _LogEnd(next_seq - 1, 0, next_seq - 1, 0, is_known=next_seq == 1)
        last_seq, last_start, payload_bytes = newest
        oldest_seq, oldest_start = connection.execute(self._sql["oldest"], (session_no,)).fetchone()
        end = _LogEnd(last_seq, last_start + EVENT_OVERHEAD_BYTES + payload_bytes, oldest_seq - 1, oldest_start)
        if connection.execute(self._sql["has_holes"], (session_no, oldest_seq)).fetchone():
            sizes = [size for _, size in connection.execute(self._sql["sizes"], (session_no,))]
            end.holes, end.hole_bytes = end.count - len(sizes), end.size - sum(sizes)
        return end

    def _count(self, session_no: int, end: _LogEnd, event: Event, size: int) -> None:
        """Count what the server sent on a stream, up to its answer."""
        stream = event.stream
        if stream is None:
            return
        if end.streams is None:
            end.streams = {}
        pieces = end.streams.get(stream)
        if event.kind in ANSWERS:
            if pieces is not None and not pieces.is_over:
                del end.streams[stream]
            return
        if pieces is None:
            if len(end.streams) >= MAX_STREAMS:
                forget_short_streams(end.streams, self._bounds)
            pieces = end.streams[stream] = self._pieces(end, stream)
        if pieces.add(event.seq, size):
            self._overdue.setdefault(session_no, set()).add(stream)

    def _pieces(self, end: _LogEnd, stream: int) -> StreamPieces:
        """Return the counters of a stream; of one that may be older than they are, what it has at most."""
        if end.is_known:
            return StreamPieces(self._bounds)
        # A request's stream is numbered by the request, so it has nothing before it.
        after = stream if 0 < stream <= end.last_seq else end.trimmed_seq
        count = max(0, end.last_seq - max(after, end.trimmed_seq))
        return StreamPieces(self._bounds, 0, count, end.size if count else 0)

    def _cut_stream(self, connection: sqlite3.Connection, session_no: int, end: _LogEnd, stream: int) -> None:
        """Drop the oldest of what the server sent on a stream."""
        pieces = end.streams.get(stream) if end.streams else None
        if pieces is None or end.streams is None:
            return
        if not pieces.is_exact:
            pieces = end.streams[stream] = StreamPieces(self._bounds)
            for seq, size in connection.execute(self._sql["sizes_of_stream"], (session_no, stream)):
                pieces.add(seq, size)
        cut = pieces.cut() if pieces.is_over else None
        if cut is None:
            return
        values = {"session": session_no, "stream": stream, "first": cut.first, "end": cut.end}
        sizes = [size for (size,) in connection.execute(self._sql["drop_of_stream"], values)]
        connection.execute(self._sql["note_stream_trimmed"], (session_no, stream, cut.end - 1))
        end.holes += len(sizes)
        end.hole_bytes += sum(sizes)

    def _cut_with_holes(self, connection: sqlite3.Connection, session_no: int, end: _LogEnd) -> None:
        """Cut back a log whose rows have to be counted, from its newest event on."""
        count = size = 0
        lowest = end.last_seq
        for seq, bytes_ in connection.execute(self._sql["sizes"], (session_no,)):
            if count and (count == self._retention.max_events or size + bytes_ > self._retention.max_bytes):
                break
            count, size, lowest = count + 1, size + bytes_, seq
        end.holes = end.hole_bytes = 0
        self._drop(connection, session_no, end, lowest - 1)
        end.holes, end.hole_bytes = end.count - count, end.size - size

    def _drop(self, connection: sqlite3.Connection, session_no: int, end: _LogEnd, upto: int) -> None:
        if upto <= end.trimmed_seq:
            return
        connection.execute(self._sql["drop"], (session_no, upto))
        connection.execute(self._sql["note_trimmed"], {"session": session_no, "seq": upto})
        connection.execute(self._sql["forget_stream_trimmed"], (session_no, upto))
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
