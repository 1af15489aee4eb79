"""Frames of one session's page: head, numbers, and whatever its tab shows."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from ...server.attach import Switchroom
from ...server.errors import NotFound
from ...server.models import ANSWERS, Event, Session
from ..contexts.detail import make_pill, make_tabs
from ..contexts.history import make_history
from ..contexts.timeline import RANGES, range_value
from ..log_data import Place, log_rows
from ..queries import EVENTS_SHOWN, LogQuery
from ..session_panels import errors_panel, keys_panel, resources_panel, streams_panel, summary_panel
from ..templating import Templates
from ..timeline_data import TimelineData
from ..urls import Urls
from .base import Frame, Parts, Resync

_CHART_EVERY: Final = 2.0
_SUMMARY_EVERY: Final = 2.0


class SessionPageFrames:
    """Follows one session. The position is the `seq` of the newest event shown."""

    def __init__(
        self,
        room: Switchroom,
        templates: Templates,
        urls: Urls,
        session_id: str,
        tab: str,
        query: LogQuery,
        *,
        minutes: int,
        follows_log: bool,
        can_act: bool,
        is_client: bool = False,
        search: str = "",
        chosen_key: str = "",
    ) -> None:
        self._room = room
        self._parts = Parts(templates)
        self._urls = urls
        self._id = session_id
        self._tab = tab
        self._query = query
        self._minutes = minutes if minutes in RANGES else RANGES[1]
        self._timeline = TimelineData(room.directory, urls, session_id, self._minutes, query.kept)
        self._follows_log = follows_log
        self._can_act = can_act
        self._is_client = is_client
        self._search = search
        self._chosen_key = chosen_key
        self._version = -1
        self._summarised_at = self._charted_at = 0.0

    async def frame(self, since: int) -> Frame:
        """Return what changed; new events come first into the log, never in between."""
        session = await self._room.directory.session(self._id)
        if not session.is_live:
            # Its verbs go, its end is explained and nothing changes any more: the page reads itself again.
            raise Resync
        n = await self._show_events(session, since) if self._follows_log else since
        now = time.monotonic()
        # A write that waits for its client changes nothing else.
        is_due = session.version != self._version or self._tab == "streams"
        if is_due and now - self._summarised_at >= _SUMMARY_EVERY:
            self._version, self._summarised_at = session.version, now
            await self._show_summary(session)
        if self._tab == "timeline" and now - self._charted_at >= _CHART_EVERY:
            self._charted_at = now
            self._parts.show("timeline", await self._timeline.draw(session))
            self._parts.show("history", make_history(await self._room.directory.history(session.id)))
        return Frame(self._parts.take(), n)

    async def _show_streams(self, session: Session) -> None:
        self._parts.show("streams", await streams_panel(self._room, self._urls, session, can_act=self._can_act))

    async def _show_summary(self, session: Session) -> None:
        self._parts.show("summary", await summary_panel(self._room, self._urls, session))
        if self._tab == "streams" or self._is_client:
            await self._show_streams(session)
        if self._is_client:
            return
        self._parts.show("status", make_pill(session))
        held = len(self._room.directory.resources(session.id))
        self._parts.show("tabs", make_tabs(session, self._urls, self._tab, resources=held))
        if self._tab == "resources":
            held_now = resources_panel(self._room.directory, self._urls, session, can_act=self._can_act)
            self._parts.show("resources", held_now)
        if self._tab == "errors":
            self._parts.show("failures", await errors_panel(self._room.directory, self._urls, session.id))
        if self._tab == "keys":
            keys = await keys_panel(self._room, self._urls, session, search=self._search, view=self._chosen_key)
            self._parts.show("keys-table", keys.table)

    async def _show_events(self, session: Session, since: int) -> int:
        directory = self._room.directory
        wanted = self._query.events(after=since, newest_first=False, limit=EVENTS_SHOWN)
        page = await directory.events(self._id, wanted)
        if page.has_more or page.dropped:
            raise Resync
        if not page.events:
            return since
        place = Place(session, self._address())
        new = list(log_rows(directory, place, self._query, page.events[::-1]))
        self._parts.add("log-rows", list(new))
        for row in log_rows(directory, place, self._query, await self._answered(page.events), known=page.events):
            self._parts.show(f"e-{row.seq}", row)
        return page.events[-1].seq

    async def _answered(self, events: list[Event]) -> list[Event]:
        """Return the requests on the page before that these events answer: their time is known now."""
        first = events[0].seq
        numbers = {e.related_seq for e in events if e.kind in ANSWERS and e.related_seq and e.related_seq < first}
        found: list[Event] = []
        for number in sorted(numbers):
            try:
                found.append(await self._room.directory.event(self._id, number))
            except NotFound:
                continue
        return found

    def _address(self) -> partial[str]:
        if self._is_client:
            return partial(self._urls.client, self._id)
        kept = range_value(self._minutes) if self._tab == "timeline" else None
        return partial(self._urls.session, self._id, self._tab, range=kept)
