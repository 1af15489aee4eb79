"""Frames of the sessions list: visible rows in place, the strip of states, the pill of new matches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from ...server.directory import Directory
from ...server.errors import NotFound
from ...server.models import Session
from ..contexts.sessions import Pending, live_count, make_facets, make_row
from ..formatting import count
from ..queries import SessionQuery
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts

_COUNT_EVERY: Final = 2.0
"""Seconds; counting walks over every live session and asks the store for the ended ones."""

_LOOK_EVERY: Final = 5.0
"""Seconds; becoming idle and the moving window of the bars are no changes of a session."""

_NEWEST: Final = 200
"""Newest sessions looked at one by one; beyond that only the change of the total is known."""


class SessionFrames:
    """Follows the rows of one page of the list. Rows are patched where they stand, never added or moved."""

    def __init__(
        self,
        directory: Directory,
        templates: Templates,
        urls: Urls,
        query: SessionQuery,
        rows: Sequence[str],
        *,
        total: int,
        rendered_at: float,
        can_act: bool,
    ) -> None:
        self._directory = directory
        self._parts = Parts(templates)
        self._urls = urls
        self._query = query
        self._rows = list(rows)
        self._shown = frozenset(rows)
        self._total = total
        self._rendered_at = rendered_at
        self._can_act = can_act
        self._seen: dict[str, tuple[int, str, object]] = {}
        self._ended: set[str] = set()
        self._looked_at = self._counted_at = -_LOOK_EVERY
        self._counted_version = -1

    async def frame(self, since: int) -> Frame:
        """Return the rows that changed, and the counts when they did."""
        version = self._directory.changes.version
        now = time.monotonic()
        if version != since or now - self._looked_at >= _LOOK_EVERY:
            self._looked_at = now
            await self._show_rows(since)
        if version != self._counted_version and now - self._counted_at >= _COUNT_EVERY:
            self._counted_at, self._counted_version = now, version
            await self._show_counts()
        return Frame(self._parts.take(), version)

    async def _show_rows(self, since: int) -> None:
        is_first = not self._seen and not self._ended
        changed = set(self._directory.changes.since(since).session_ids) if is_first else set[str]()
        for session_id in self._rows:
            session = self._directory.live_session(session_id)
            if session is None:
                await self._show_ended(session_id, is_wanted=not is_first or session_id in changed)
                continue
            state = (session.version, session.status, session.recent)
            before = self._seen.get(session_id)
            self._seen[session_id] = state
            # On the first turn the page itself is at most as old as `since`.
            if state != before and (before is not None or session.version > since or session_id in changed):
                self._show(session)

    async def _show_ended(self, session_id: str, *, is_wanted: bool) -> None:
        if session_id in self._ended:
            return
        self._ended.add(session_id)
        if not is_wanted:
            return
        try:
            self._show(await self._directory.session(session_id))
        except NotFound:
            return

    def _show(self, session: Session) -> None:
        self._parts.show(f"s-{session.id}", make_row(session, can_act=self._can_act))

    async def _show_counts(self) -> None:
        query = self._query.asked.filter
        counts = await self._directory.count_by_status(query)
        self._parts.show("facets", make_facets(counts, query, lambda q: self._query.address(self._urls, q)))
        live = live_count(counts) if query.is_empty else self._directory.health().live_sessions
        self._parts.text("live-count", count(live))
        self._parts.text("nav-sessions", count(live))
        self._parts.show("pending", Pending(await self._new_matches(), self._query.address(self._urls, query.text)))

    async def _new_matches(self) -> int:
        """Count the matching sessions that were opened after the page was read, or began to match since."""
        query = self._query.asked.filter
        newest = await self._directory.sessions(query, sort="-created", limit=_NEWEST)
        opened = sum(1 for each in newest.items if each.created_at > self._rendered_at and each.id not in self._shown)
        return max(opened, newest.total - self._total, 0)
