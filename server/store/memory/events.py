"""Event logs in memory."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from operator import itemgetter

from ...models import ANSWERS, Direction, Event, EventPage, ServerEvent, ServerLogPage, SessionRecord
from ..base import EventQuery, Retention, ServerLogQuery, Tail
from ..fanout import Fanout
from ..limits import bytes_threshold, count_threshold, dropped_before, kept_bytes, page_size
from ..streams import StreamBounds, StreamPieces, is_counted
from ..text import clean_event
from .done import done

_TIDY_EVERY = 4_096
"""Appends between two looks at whether many events of the log of all sessions have been dropped."""


class _Log:
    """One session's events, oldest first."""

    __slots__ = ("events", "kept_bytes", "stream_trimmed", "streams", "trimmed_seq")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.kept_bytes = 0
        self.trimmed_seq = 0
        self.streams: dict[int, StreamPieces] = {}
        self.stream_trimmed: dict[int, int] = {}
        """By stream: nothing that the server sent on it up to there is kept."""

    def index(self, seq: int) -> int:
        """Return the position of the first event with this `seq` or a greater one."""
        return bisect_left(self.events, seq, key=_seq)

    def find(self, seq: int) -> Event | None:
        """Return one event; its position follows from its `seq` unless single streams were cut back."""
        index = seq - self.trimmed_seq - 1
        if not (0 <= index < len(self.events) and self.events[index].seq == seq):
            index = self.index(seq)
        return self.events[index] if index < len(self.events) and self.events[index].seq == seq else None

    def count(self, event: Event, bounds: StreamBounds) -> None:
        """Count what the server sent on a stream, and drop the oldest of it when that is too much."""
        assert event.stream is not None
        pieces = self.streams.get(event.stream)
        if event.kind in ANSWERS:
            self.streams.pop(event.stream, None)
            return
        if pieces is None:
            pieces = self.streams[event.stream] = StreamPieces(bounds)
        cut = pieces.cut() if pieces.add(event.seq, kept_bytes(event)) else None
        if cut is not None:
            first, end = self.index(cut.first), self.index(cut.end)
            over = {e.seq for e in self.events[first:end] if is_counted(e) and e.stream == event.stream}
            self.leave_out(over, first, end)
            self.stream_trimmed[event.stream] = cut.end - 1

    def leave_out(self, numbers: set[int], first: int, end: int) -> None:
        """Drop events, of which the log's newest is none."""
        kept = [event for event in self.events[first:end] if event.seq not in numbers]
        self.kept_bytes -= sum(kept_bytes(event) for event in self.events[first:end] if event.seq in numbers)
        self.events[first:end] = kept
        self.trimmed_seq = max(self.trimmed_seq, self.events[0].seq - 1)

    def drop(self, count: int) -> None:
        """Drop the oldest events."""
        if count:
            self.trimmed_seq = self.events[count - 1].seq
            self.kept_bytes -= sum(map(kept_bytes, self.events[:count]))
            del self.events[:count]


def _seq(event: Event) -> int:
    return event.seq


class MemoryEventLog:
    """One list for each session."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._bounds = StreamBounds(retention)
        self._logs: dict[int, _Log] = {}
        self._fanout = Fanout(self.read)
        self._order: list[tuple[int, int, Event]] = []
        """`(id, session number, event)` of every event in the order of appending; dropped ones go now and then."""
        self._newest_id = 0
        self.records: Mapping[int, SessionRecord] = {}
        """The sessions by number, for whose events these are; the registry lends it."""

    def append(self, session_no: int, event: Event) -> asyncio.Future[None]:
        event = clean_event(event)
        log = self._logs.get(session_no)
        if log is None:
            log = self._logs[session_no] = _Log()
        log.events.append(event)
        log.kept_bytes += kept_bytes(event)
        self._newest_id += 1
        self._order.append((self._newest_id, session_no, event))
        if self._newest_id % _TIDY_EVERY == 0:
            self._forget_dropped()
        if is_counted(event):
            log.count(event, self._bounds)
        self._trim(log)
        self._fanout.publish(session_no, event)
        return done()

    def write(self, session_no: int, event: Event) -> None:
        self.append(session_no, event)

    async def read(self, session_no: int, query: EventQuery) -> EventPage:
        log = self._logs.get(session_no)
        if log is None:
            return EventPage([], 0, False)
        events: list[Event] = []
        limit, page_bytes, has_more = page_size(query.limit), 0, False
        for event in _in_range(log, query):
            if not _matches(query, event):
                continue
            if query.payload_up_to is not None and event.size_bytes > query.payload_up_to:
                event = event._replace(payload=None)
            page_bytes += kept_bytes(event)
            if len(events) == limit or (events and page_bytes > query.max_bytes):
                has_more = True
                break
            events.append(event)
        trimmed_seq = log.trimmed_seq
        if query.stream is not None:
            trimmed_seq = max(trimmed_seq, log.stream_trimmed.get(query.stream, 0))
        return EventPage(events, dropped_before(query, trimmed_seq, has_more), has_more)

    async def get(self, session_no: int, seq: int) -> Event | None:
        log = self._logs.get(session_no)
        return log.find(seq) if log is not None else None

    async def read_all(self, query: ServerLogQuery) -> ServerLogPage:
        end = len(self._order) if query.before is None else bisect_left(self._order, query.before, key=itemgetter(0))
        events: list[ServerEvent] = []
        for index in range(end - 1, -1, -1):
            number, session_no, event = self._order[index]
            if number <= query.after:
                break
            record = self.records.get(session_no)
            if record is None or not self._is_kept(session_no, event) or not _matches_all(query, session_no, event):
                continue
            if len(events) == page_size(query.limit):
                return ServerLogPage(events, events[-1].id, False)
            events.append(ServerEvent(number, record.id, record.kind, record.client_name, event))
        return ServerLogPage(events, None, False)

    async def newest_id(self) -> int:
        return self._newest_id

    def tail(self, session_no: int, after: int, *, stream: int | None = None) -> Tail:
        return self._fanout.follow(session_no, after, stream)

    def close(self) -> None:
        """End every tail."""
        self._fanout.close()

    def bounds(self, session_no: int) -> tuple[int, int]:
        """Return the last and the last dropped `seq` of a log; zeros when it has none."""
        log = self._logs.get(session_no)
        if log is None:
            return 0, 0
        return log.events[-1].seq if log.events else log.trimmed_seq, log.trimmed_seq

    def drop_payloads(self, before: float, now: float) -> None:
        """Take the payloads from what was sent to clients before a time."""
        for log in self._logs.values():
            for index, event in enumerate(log.events):
                is_over = event.expires_at is None or event.expires_at <= now
                if event.direction is Direction.FROM_SERVER and event.at <= before and is_over and event.payload:
                    log.kept_bytes -= kept_bytes(event)
                    log.events[index] = dropped = event._replace(payload=None, sealed=None)
                    log.kept_bytes += kept_bytes(dropped)

    def sealed_events(self) -> Iterator[tuple[int, int, str]]:
        """Return every sealed text: session, `seq` and token."""
        for session_no, log in self._logs.items():
            for event in log.events:
                if event.sealed is not None:
                    yield session_no, event.seq, event.sealed

    def reseal(self, session_no: int, seq: int, old: str, new: str) -> bool:
        """Put another token in the place of one that is still there."""
        log = self._logs.get(session_no)
        event = log.find(seq) if log is not None else None
        if log is None or event is None or event.sealed != old:
            return False
        log.events[log.index(seq)] = event._replace(sealed=new)
        log.kept_bytes += len(new) - len(old)
        return True

    def forget(self, session_no: int) -> int:
        """Drop a whole log and return how many events it had."""
        log = self._logs.pop(session_no, None)
        return len(log.events) if log is not None else 0

    def drop_before(self, time: float) -> int:
        """Drop the events of every log that are older, up to the first one that is not."""
        dropped = 0
        for log in self._logs.values():
            count = next((i for i, event in enumerate(log.events) if event.at > time), len(log.events))
            log.drop(count)
            dropped += count
        return dropped

    def drop_of_streams(self, before: float, now: float) -> int:
        """Drop what was sent on streams before a time, but answers of calls and what waits for its client."""
        dropped = 0
        for log in self._logs.values():
            over = [event for event in log.events[:-1] if event.at <= before and _goes_with_stream(event, now)]
            if over:
                log.leave_out({event.seq for event in over}, 0, len(log.events))
                log.stream_trimmed |= {event.stream: event.seq for event in over if event.stream is not None}
            dropped += len(over)
        return dropped

    def _is_kept(self, session_no: int, event: Event) -> bool:
        log = self._logs.get(session_no)
        if log is None or event.seq <= log.trimmed_seq:
            return False
        return not log.stream_trimmed or log.find(event.seq) is not None

    def _forget_dropped(self) -> None:
        if len(self._order) > 2 * sum(len(log.events) for log in self._logs.values()) + 1_000:
            self._order = [each for each in self._order if self._is_kept(each[1], each[2])]

    def _trim(self, log: _Log) -> None:
        retention = self._retention
        if len(log.events) > count_threshold(retention.max_events):
            log.drop(len(log.events) - retention.max_events)
        if log.kept_bytes > bytes_threshold(retention.max_bytes):
            excess, count = log.kept_bytes - retention.max_bytes, 0
            while excess > 0 and count < len(log.events) - 1:
                excess -= kept_bytes(log.events[count])
                count += 1
            log.drop(count)


def _goes_with_stream(event: Event, now: float) -> bool:
    is_over = event.expires_at is None or event.expires_at <= now
    return is_counted(event) and event.kind not in ANSWERS and is_over


def _in_range(log: _Log, query: EventQuery) -> Iterator[Event]:
    start = log.index(query.after + 1)
    end = len(log.events)
    if query.before is not None:
        end = max(start, log.index(query.before))
    indexes = range(end - 1, start - 1, -1) if query.newest_first else range(start, end)
    return (log.events[index] for index in indexes)


def _matches(query: EventQuery, event: Event) -> bool:
    return (
        (query.stream is None or event.stream == query.stream)
        and (not query.kinds or event.kind in query.kinds)
        and (query.method is None or event.method == query.method)
        and (query.direction is None or event.direction == query.direction)
        and (not query.errors_only or event.error_code is not None)
        and (query.request_id is None or event.request_id == query.request_id)
        and (query.since is None or event.at >= query.since)
        and (query.until is None or event.at < query.until)
    )


def _matches_all(query: ServerLogQuery, session_no: int, event: Event) -> bool:
    return (
        (query.sessions is None or session_no in query.sessions)
        and (not query.kinds or event.kind in query.kinds)
        and (query.method is None or event.method == query.method)
        and (query.direction is None or event.direction == query.direction)
        and (not query.errors_only or event.error_code is not None)
        and (query.since is None or event.at >= query.since)
        and (query.until is None or event.at < query.until)
    )
