"""The log of the whole server, for pages, API and exports: events of all sessions that a filter matches."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Final

from ..engine.engine import Engine
from ..filters import Filter
from ..models import ServerEvent, ServerLogPage
from ..store.base import ServerLogQuery

_MAX_SESSIONS: Final = 100_000
"""Ended sessions whose events are looked for at once, the last ones to end."""
_EXPORTED_AT_ONCE: Final = 1_000


class ServerLog:
    """Reads events over all sessions and sessionless clients, newest first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def page(self, query: ServerLogQuery, sessions: Filter) -> ServerLogPage:
        """Return one page of the events of the sessions that match; an empty filter means all of them."""
        if not sessions.is_empty:
            query = query._replace(sessions=await self._numbers(sessions))
        return await self._engine.store.events.read_all(query)

    async def everything(self, query: ServerLogQuery, sessions: Filter) -> AsyncIterator[list[ServerEvent]]:
        """Yield all events that match, some at a time, for an export; what is appended meanwhile is left out."""
        if not sessions.is_empty:
            query = query._replace(sessions=await self._numbers(sessions))
        query = query._replace(limit=_EXPORTED_AT_ONCE)
        while True:
            page = await self._engine.store.events.read_all(query)
            yield page.events
            if page.next_before is None:
                return
            query = query._replace(before=page.next_before)

    async def newest_id(self) -> int:
        """Return the id of the newest event; 0 when there is none."""
        return await self._engine.store.events.newest_id()

    async def _numbers(self, sessions: Filter) -> frozenset[int]:
        now = time.time()
        live = [
            session.record.no
            for session in (*self._engine.live(), *self._engine.live(clients=True))
            if sessions.matches(session, now)
        ]
        ended = await self._engine.store.sessions.ended_numbers(sessions, now=now, limit=_MAX_SESSIONS)
        return frozenset([*live, *ended])
