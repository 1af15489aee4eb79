"""Event logs in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from ...models import Event, EventPage
from ..base import EventQuery, Retention, Tail
from ..fanout import Fanout
from ..limits import MAX_PAGE_BYTES, bytes_threshold, count_threshold, dropped_before, kept_bytes, page_size
from ..text import clean_event
from .done import done


class _Log:
    """One session's events, oldest first."""

    __slots__ = ("events", "kept_bytes", "trimmed_seq")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.kept_bytes = 0
        self.trimmed_seq = 0

    def drop(self, count: int) -> None:
        """Drop the oldest events."""
        if count:
            self.trimmed_seq = self.events[count - 1].seq
            self.kept_bytes -= sum(map(kept_bytes, self.events[:count]))
            del self.events[:count]


class MemoryEventLog:
    """One list for each session."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._logs: dict[int, _Log] = {}
        self._fanout = Fanout(self.read)

    def append(self, session_no: int, event: Event) -> asyncio.Future[None]:
        event = clean_event(event)
        log = self._logs.get(session_no)
        if log is None:
            log = self._logs[session_no] = _Log()
        log.events.append(event)
        log.kept_bytes += kept_bytes(event)
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
            page_bytes += kept_bytes(event)
            if len(events) == limit or (events and page_bytes > MAX_PAGE_BYTES):
                has_more = True
                break
            events.append(event)
        return EventPage(events, dropped_before(query, log.trimmed_seq, has_more), has_more)

    async def get(self, session_no: int, seq: int) -> Event | None:
        log = self._logs.get(session_no)
        index = seq - log.trimmed_seq - 1 if log is not None else -1
        return log.events[index] if log is not None and 0 <= index < len(log.events) else None

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
        return log.trimmed_seq + len(log.events), log.trimmed_seq

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


def _in_range(log: _Log, query: EventQuery) -> Iterator[Event]:
    # `seq` has no gaps, so a position in the list follows from it.
    start = max(0, query.after - log.trimmed_seq)
    end = len(log.events)
    if query.before is not None:
        end = max(start, min(end, query.before - log.trimmed_seq - 1))
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
    )
