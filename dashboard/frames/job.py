"""Frames of a job's page."""

from __future__ import annotations

from ...server.directory import Directory
from ...server.operations import Job
from ..contexts.jobs import make_progress
from ..templating import Templates
from .base import Frame, Parts, Resync


class JobFrames:
    """Follows how far one job is; at its end the page reads itself again, with every result."""

    def __init__(self, directory: Directory, templates: Templates, job: Job, *, can_act: bool) -> None:
        self._directory = directory
        self._parts = Parts(templates)
        self._job = job
        self._can_act = can_act

    async def frame(self, since: int) -> Frame:
        """Return the progress when it changed."""
        if self._job.ended_at is not None:
            raise Resync
        self._parts.show("progress-panel", make_progress(self._job, can_act=self._can_act))
        return Frame(self._parts.take(), self._directory.changes.version)
