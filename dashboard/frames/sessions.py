"""Frames of the sessions list: visible rows in place, the strip of states, the pill of new matches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from ...server.directory import Directory, Tally
from ...server.errors import NotFound
from ...server.filters import parse_filter
from ..contexts.sessions import Pending, live_count, make_facets
from ..formatting import count
from ..queries import SessionQuery
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts
from .rows import WINDOW_SECONDS, SharedRows

_COUNT_EVERY: Final = 2.0
"""Seconds between two looks at the counts, which all who follow the same filter share."""

_ROW_BYTES: Final = 30 * 1024
"""Rows of one frame; with the counts and the row that goes beyond, a frame stays below 40 KB."""


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
        shared: SharedRows | None = None,
    ) -> None:
        self._directory = directory
        self._parts = Parts(templates)
        self._shared = shared or SharedRows(directory, templates)
        self._urls = urls
        self._query = query
        self._rows = list(rows)
        self._shown = frozenset(rows)
        self._total = total
        self._rendered_at = rendered_at
        self._can_act = can_act
        self._seen: dict[str, tuple[int, str]] = {}
        self._ended: set[str] = set()
        self._is_first = True
        self._start = 0
        """Row that comes first in the next frame."""
        self._turn = int(time.monotonic())
        self._counted_at = -_COUNT_EVERY
        self._counted_version = -1

    async def frame(self, since: int) -> Frame:
        """Return the rows that changed, and the counts when they did."""
        version = self._directory.changes.version
        now = time.monotonic()
        reached = await self._show_rows(since, version, int(now) - self._turn)
        self._turn = int(now)
        if version != self._counted_version and now - self._counted_at >= _COUNT_EVERY:
            self._counted_at, self._counted_version = now, version
            await self._show_counts()
        return Frame(self._parts.take(), reached)

    async def _show_rows(self, since: int, version: int, seconds: int) -> int:
        """Render what changed, as much as a frame may hold, and return the position that is reached with it.

        A row without a change is looked at again every five seconds, each in its own second, so that no frame has
        to hold them all. A row that finds no room comes with the next frame, where it is the first in turn.
        """
        is_first, self._is_first = self._is_first, False
        changed = set(self._directory.changes.since(since).session_ids) if is_first else set[str]()
        reached, start = version, self._start
        for offset in range(len(self._rows)):
            index = (start + offset) % len(self._rows)
            session_id = self._rows[index]
            state = self._directory.live_version(session_id)
            if state is None:
                await self._show_ended(session_id, is_wanted=not is_first or session_id in changed)
                continue
            before = self._seen.get(session_id)
            is_due = before is not None and seconds > 0 and (index + self._turn) % WINDOW_SECONDS < seconds
            # On the first turn the page itself is at most as old as `since`.
            is_new = state[0] > since or session_id in changed if before is None else state != before
            if not (is_new or is_due):
                self._seen[session_id] = state
                continue
            if self._parts.size > _ROW_BYTES:
                if is_new:
                    reached = min(reached, state[0] - 1)
                    self._start = index if self._start == start else self._start
                continue
            self._seen[session_id] = state
            row = self._shared.live(session_id, can_act=self._can_act, shown=self._query.columns)
            self._parts.markup(f"s-{session_id}", row or "")
        return max(reached, since)

    async def _show_ended(self, session_id: str, *, is_wanted: bool) -> None:
        if session_id in self._ended:
            return
        self._ended.add(session_id)
        if not is_wanted:
            return
        try:
            session = await self._directory.session(session_id)
        except NotFound:
            return
        row = self._shared.render(session, can_act=self._can_act, shown=self._query.columns)
        self._parts.markup(f"s-{session_id}", row)

    async def _show_counts(self) -> None:
        query = self._query.asked.filter
        tally = await self._directory.tally(query, is_shared=True)
        everything = tally if query.is_empty else await self._directory.tally(parse_filter(""), is_shared=True)
        facets = make_facets(tally.by_status, query, lambda q: self._query.address(self._urls, q))
        self._parts.show("facets", facets)
        live = count(live_count(everything.by_status))
        self._parts.text("live-count", live)
        pending = Pending(self._new_matches(tally), self._query.address(self._urls, query.text))
        self._parts.show("pending", pending)

    def _new_matches(self, tally: Tally) -> int:
        """Count the matching sessions that were opened after the page was read, or began to match since."""
        opened = 0
        for created_at, session_id in tally.newest:
            if created_at <= self._rendered_at:
                break
            opened += session_id not in self._shown
        return max(opened, tally.total - self._total, 0)
