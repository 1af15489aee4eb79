"""The events a session's swim lanes are drawn from: read once, then only what is new."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from ..server.directory import Directory
from ..server.models import Event, EventKind, Session
from ..server.store.base import EventQuery
from .charts.lanes import draw_lanes, kept_lanes
from .contexts.timeline import EVERYTHING, Timeline, make_timeline
from .urls import QueryValue, Urls

_MOST: Final = 5_000
"""Events a chart is drawn from; where more happened, its beginning is marked as not drawn."""
_PAGE: Final = 1_000
_OLDER: Final = 200
"""Changes of state and of streams before the chart's time that are looked at: what began then may last."""
_SMALL: Final = 1_024
"""Payloads that a chart reads: those of streams."""
_LASTING: Final = (EventKind.STREAM, EventKind.LIFECYCLE)
_SHORTEST: Final = 30.0
"""Seconds; a session that has just begun does not fill its chart with one call."""


class TimelineData:
    """Follows one session's log for one chart. Used by one page or one stream and not shared."""

    def __init__(
        self, directory: Directory, urls: Urls, session_id: str, minutes: int, kept: Mapping[str, QueryValue]
    ) -> None:
        self._directory = directory
        self._urls = urls
        self._id = session_id
        self._minutes = minutes
        self._kept = kept
        self._events: list[Event] = []
        self._lasting: list[Event] = []
        self._known_from: float | None = None
        self._newest: int | None = None
        self._shown: Sequence[str] = ()

    async def draw(self, session: Session) -> Timeline:
        """Return the chart as it is now; of an ended session, as it was at its end."""
        end = session.ended_at or time.time()
        start = min(session.created_at, end - _SHORTEST) if self._minutes == EVERYTHING else end - 60 * self._minutes
        await (self._read(start) if self._newest is None else self._read_on())
        self._forget(start)
        lanes = draw_lanes(
            session,
            [*self._lasting, *self._events],
            self._directory.in_flight(self._id),
            start=start,
            end=end,
            known_from=self._known_from,
            keep=self._shown,
        )
        self._shown = kept_lanes(lanes)
        return make_timeline(lanes, self._urls, session, self._minutes, seconds=end - start, **self._kept)

    async def _read(self, start: float) -> None:
        found: list[Event] = []
        has_more, dropped, before = True, 0, None
        while has_more and len(found) < _MOST:
            query = EventQuery(before=before, since=start, limit=_PAGE, newest_first=True, payload_up_to=_SMALL)
            page = await self._directory.events(self._id, query)
            found += page.events
            has_more, dropped = page.has_more, page.dropped
            before = found[-1].seq if found else None
        self._events = found[::-1]
        self._newest = found[0].seq if found else 0
        first = self._events[0] if self._events else None
        if first is not None and (has_more or dropped):
            self._known_from = first.at
        await self._read_older(first.seq if first is not None else None)

    async def _read_older(self, before: int | None) -> None:
        query = EventQuery(before=before, kinds=_LASTING, limit=_OLDER, newest_first=True, payload_up_to=_SMALL)
        self._lasting = (await self._directory.events(self._id, query)).events[::-1]
        if self._newest == 0 and self._lasting:
            self._newest = self._lasting[-1].seq

    async def _read_on(self) -> None:
        has_more = True
        while has_more:
            query = EventQuery(after=self._newest or 0, limit=_PAGE, payload_up_to=_SMALL)
            page = await self._directory.events(self._id, query)
            self._events += page.events
            has_more = page.has_more
            if page.events:
                self._newest = page.events[-1].seq

    def _forget(self, start: float) -> None:
        """Keep what is in the chart's time, within its bound, and what lasts from before."""
        keep = next((index for index, event in enumerate(self._events) if event.at >= start), len(self._events))
        if len(self._events) - keep > _MOST:
            keep = len(self._events) - _MOST
            self._known_from = self._events[keep].at
        left = [event for event in self._events[:keep] if event.kind in _LASTING]
        self._lasting = [*self._lasting, *left][-_OLDER:]
        del self._events[:keep]
