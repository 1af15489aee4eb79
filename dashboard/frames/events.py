"""Frames of the server's event log: new rows first, at most a page of them a second."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ...server.directory import Directory
from ...server.models import ServerEvent
from ..contexts.server_log import OlderEvents, make_server_rows
from ..queries import EVENTS_SHOWN, ServerEventsQuery
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts, partial


class ServerEventsFrames:
    """Follows the log from the id of the newest event that is shown."""

    def __init__(
        self, directory: Directory, templates: Templates, urls: Urls, query: ServerEventsQuery, rows: Sequence[int]
    ) -> None:
        self._directory = directory
        self._parts = Parts(templates)
        self._templates = templates
        self._urls = urls
        self._query = query
        self._shown = deque(rows, maxlen=EVENTS_SHOWN)
        """Ids of the rows on the page, newest first."""

    async def frame(self, since: int) -> Frame:
        """Return the rows that came; more than a page of them replace the page."""
        log = self._directory.log
        newest = await log.newest_id()
        if newest <= since:
            return Frame("", since)
        wanted = self._query.events(after=since)._replace(before=newest + 1)
        page = await log.page(wanted, self._query.sessions)
        if not page.events:
            return Frame("", newest)
        is_whole = page.next_before is not None
        if is_whole:
            self._shown.clear()
        self._shown.extendleft(each.id for each in reversed(page.events))
        html = self._rows(page.events, is_whole=is_whole)
        if is_whole or len(self._shown) == EVENTS_SHOWN:
            older = self._urls.events(**self._query.values(), before=self._shown[-1])
            self._parts.show("older-events", OlderEvents(older, is_partial=False))
        return Frame(html + self._parts.take(), newest)

    def _rows(self, events: Sequence[ServerEvent], *, is_whole: bool) -> str:
        rows = "".join(self._templates.render(row) for row in make_server_rows(events, self._urls))
        return partial("log-rows", rows, swap="innerHTML" if is_whole else "afterbegin")
