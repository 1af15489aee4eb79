"""The counts beside the navigation, added to the frames of whatever page is open."""

from __future__ import annotations

import time
from typing import Final

from ...server.directory import Directory
from ..nav_counts import broadcast_count, quick_counts
from ..templating import Templates
from .base import Frame, FrameSource, Parts

_EVERY: Final = 3.0
"""Seconds between two looks at the broadcasts, which are read from the store."""


class WithNavigation:
    """A page's frames with the counts of its navigation."""

    def __init__(self, page: FrameSource, directory: Directory, templates: Templates) -> None:
        self._page = page
        self._directory = directory
        self._parts = Parts(templates)
        self._read_at = 0.0

    async def frame(self, since: int) -> Frame:
        """Return what changed on the page, and the counts that changed."""
        frame = await self._page.frame(since)
        for icon, words in quick_counts(self._directory).items():
            self._parts.text(f"nav-{icon}", words)
        now = time.monotonic()
        if now - self._read_at >= _EVERY:
            self._read_at = now
            self._parts.text("nav-broadcast", await broadcast_count(self._directory))
        return frame._replace(html=frame.html + self._parts.take())
