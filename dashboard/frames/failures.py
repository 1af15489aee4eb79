"""Frames of the errors page: its table, while errors come in."""

from __future__ import annotations

import time
from typing import Final

from ...server.attach import Switchroom
from ...server.directory import ERRORS_READ
from ..contexts.failures import FailureList, make_failures
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts

_EVERY: Final = 2.0
"""Seconds between two readings of the log."""


class FailureFrames:
    """Follows the errors of all sessions."""

    def __init__(self, room: Switchroom, templates: Templates, urls: Urls) -> None:
        self._room = room
        self._parts = Parts(templates)
        self._urls = urls
        self._shown: FailureList | None = None
        self._read_at = 0.0

    async def frame(self, since: int) -> Frame:
        """Return the table when it has changed."""
        version, now = self._room.directory.changes.version, time.monotonic()
        if now - self._read_at >= _EVERY:
            self._read_at = now
            groups = await self._room.directory.errors()
            found = make_failures(groups, self._urls, most=ERRORS_READ, of_session=False)
            if found != self._shown:
                self._shown = found
                self._parts.show("failures", found)
        return Frame(self._parts.take(), version)
