"""Frames of the overview."""

from __future__ import annotations

import time
from typing import Final

from ...server.attach import Switchroom
from ...server.errors import NotFound
from ...server.models import Session
from .. import overview_data as data
from ..contexts.sessions import make_row
from ..formatting import count
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts

_SLOW_EVERY: Final = 3.0
"""Seconds; concerns and actions are counted over every session and read from the store."""


class OverviewFrames:
    """Follows the overview."""

    def __init__(self, room: Switchroom, templates: Templates, urls: Urls, rows: list[str]) -> None:
        self._directory = room.directory
        self._parts = Parts(templates)
        self._urls = urls
        self._rows = rows
        self._slow_at = 0.0
        self._has_shown = False

    async def frame(self, since: int) -> Frame:
        """Return the parts that came out differently."""
        directory, version = self._directory, self._directory.changes.version
        strip = await data.numbers(directory, self._urls)
        self._parts.show("numbers", strip)
        now = time.monotonic()
        if now - self._slow_at >= _SLOW_EVERY:
            self._slow_at = now
            self._parts.show("facets", await data.states(directory, self._urls))
            self._parts.show("attention", await data.attention(directory, self._urls))
            self._parts.show("recent", await data.recent(directory, self._urls))
            self._parts.text("nav-sessions", count(directory.health().live_sessions))
        if version != since or not self._has_shown:
            self._has_shown = True
            for session_id in self._rows:
                session = await self._find(session_id)
                if session is not None:
                    self._parts.show(f"s-{session_id}", make_row(session, can_act=False))
        return Frame(self._parts.take(), version)

    async def _find(self, session_id: str) -> Session | None:
        try:
            return self._directory.live_session(session_id) or await self._directory.session(session_id)
        except NotFound:
            return None
