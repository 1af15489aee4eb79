"""Frames of a broadcast's receipt."""

from __future__ import annotations

from ...server.directory import Directory
from ..contexts.broadcasts import make_receipt
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts


class BroadcastFrames:
    """Follows the figures of one broadcast."""

    def __init__(self, directory: Directory, templates: Templates, urls: Urls, broadcast_id: str, status: str) -> None:
        self._directory = directory
        self._parts = Parts(templates)
        self._urls = urls
        self._id = broadcast_id
        self._status = status

    async def frame(self, since: int) -> Frame:
        """Return the figures when they changed."""
        version = self._directory.changes.version
        broadcast = await self._directory.broadcast(self._id)
        self._parts.show("receipt", make_receipt(broadcast, self._urls, self._status))
        return Frame(self._parts.take(), version)
