"""Frames of a broadcast's receipt: the figures, and the recipients on the page."""

from __future__ import annotations

from ...server.directory import Directory
from ..contexts.broadcasts import make_receipt, make_receipts, make_stop
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts


class BroadcastFrames:
    """Follows one broadcast. A recipient that no longer has the status of the page stays where it is."""

    def __init__(
        self,
        directory: Directory,
        templates: Templates,
        urls: Urls,
        broadcast_id: str,
        status: str,
        rows: list[str],
        *,
        can_act: bool,
    ) -> None:
        self._directory = directory
        self._parts = Parts(templates)
        self._urls = urls
        self._id = broadcast_id
        self._status = status
        self._rows = rows
        self._can_act = can_act

    async def frame(self, since: int) -> Frame:
        """Return the figures and rows that changed."""
        version = self._directory.changes.version
        broadcast = await self._directory.broadcast(self._id)
        self._parts.show("receipt", make_receipt(broadcast, self._urls, self._status))
        self._parts.show("stop", make_stop(broadcast, self._urls, can_act=self._can_act))
        receipts = await self._directory.receipts_of(self._id, self._rows)
        for row in make_receipts(receipts, self._urls):
            self._parts.show(f"r-{row.session_id}", row)
        return Frame(self._parts.take(), version)
