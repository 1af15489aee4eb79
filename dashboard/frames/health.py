"""Frames of the health page."""

from __future__ import annotations

from ...server.attach import Switchroom
from ...server.directory import RANGES, Trends
from ..contexts.charts import make_health_charts
from ..health_data import health_now
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts


class HealthFrames:
    """Follows the state of the process, its store and its limits."""

    def __init__(self, room: Switchroom, templates: Templates, urls: Urls) -> None:
        self._room = room
        self._parts = Parts(templates)
        self._urls = urls
        self._trends: Trends | None = None

    async def frame(self, since: int) -> Frame:
        """Return the parts that came out differently."""
        self._parts.show("health-now", health_now(self._room, self._urls))
        trends = self._room.directory.trends(RANGES[-1])
        if trends is not self._trends:
            self._trends = trends
            for chart in make_health_charts(trends, self._urls):
                self._parts.show(f"chart-{chart.key}", chart)
        return Frame(self._parts.take(), self._room.directory.changes.version)
