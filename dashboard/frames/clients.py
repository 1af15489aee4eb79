"""Frames of the list of sessionless clients."""

from __future__ import annotations

from ...server.directory import Directory
from ..contexts.clients import make_client_row
from ..templating import Templates
from .base import Frame, Parts


class ClientFrames:
    """Follows the visible clients. New ones are counted beside the navigation and wait for the next visit."""

    def __init__(self, directory: Directory, templates: Templates, rows: list[str]) -> None:
        self._directory = directory
        self._parts = Parts(templates)
        self._rows = frozenset(rows)

    async def frame(self, since: int) -> Frame:
        """Return the rows that came out differently."""
        version = self._directory.changes.version
        clients = await self._directory.clients()
        for session in clients:
            if session.id in self._rows:
                self._parts.show(f"c-{session.id}", make_client_row(session))
        return Frame(self._parts.take(), version)
