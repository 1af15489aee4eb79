"""The counts beside the navigation, added to the frames of whatever page is open."""

from __future__ import annotations

from ...server.directory import Directory
from ..nav_counts import broadcast_count, quick_counts
from ..templating import Templates
from .base import Frame, FrameSource, Parts


class WithNavigation:
    """A page's frames with the counts of its navigation."""

    def __init__(self, page: FrameSource, directory: Directory, templates: Templates) -> None:
        self._page = page
        self._directory = directory
        self._parts = Parts(templates)

    async def frame(self, since: int) -> Frame:
        """Return what changed on the page, and the counts that changed."""
        frame = await self._page.frame(since)
        for icon, words in quick_counts(self._directory).items():
            self._parts.text(f"nav-{icon}", words)
        self._parts.text("nav-broadcast", await broadcast_count(self._directory, is_shared=True))
        return frame._replace(html=frame.html + self._parts.take())
