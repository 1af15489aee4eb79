"""Frames of the list of sessionless clients."""

from __future__ import annotations

from ...server.directory import Directory
from ..client_rows import client_rows
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts


class ClientFrames:
    """Follows the visible clients. New ones are counted beside the navigation and wait for the next visit."""

    def __init__(self, directory: Directory, templates: Templates, urls: Urls, rows: list[str]) -> None:
        self._directory = directory
        self._parts = Parts(templates)
        self._urls = urls
        self._rows = frozenset(rows)

    async def frame(self, since: int) -> Frame:
        """Return the rows that came out differently."""
        version = self._directory.changes.version
        clients = await self._directory.clients()
        shown = [session for session in clients if session.id in self._rows]
        for row in client_rows(self._directory, shown, self._urls):
            self._parts.show(f"c-{row.id}", row)
        return Frame(self._parts.take(), version)
