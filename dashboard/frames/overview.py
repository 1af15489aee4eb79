"""Frames of the overview."""

from __future__ import annotations

import time
from typing import Final

from ...server.attach import Switchroom
from ...server.directory import Range, Trends
from .. import overview_data as data
from ..contexts.charts import make_charts
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts

_SLOW_EVERY: Final = 3.0
"""Seconds; concerns and actions are counted over every session and read from the store."""


class OverviewFrames:
    """Follows the overview."""

    def __init__(self, room: Switchroom, templates: Templates, urls: Urls, shown: Range) -> None:
        self._room = room
        self._directory = room.directory
        self._parts = Parts(templates)
        self._urls = urls
        self._range = shown
        self._trends: Trends | None = None
        self._slow_at = 0.0

    async def frame(self, since: int) -> Frame:
        """Return the parts that came out differently."""
        directory, version = self._directory, self._directory.changes.version
        trends = directory.trends(self._range)
        self._parts.show("numbers", data.numbers(directory, trends, self._urls))
        if trends is not self._trends:
            self._trends = trends
            for chart in make_charts(trends, self._urls):
                self._parts.show(f"chart-{chart.key}", chart)
        now = time.monotonic()
        if now - self._slow_at >= _SLOW_EVERY:
            self._slow_at = now
            self._parts.show("facets", await data.states(directory, self._urls))
            self._parts.show("attention", await data.attention(self._room, self._urls))
            self._parts.show("recent", await data.recent(directory, self._urls))
        return Frame(self._parts.take(), version)
