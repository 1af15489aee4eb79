"""Work that nobody waits for, ended when the engine is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from ..errors import SwitchroomError

logger = logging.getLogger(__name__)


class Background:
    """The tasks of one engine."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def spawn(self, work: Awaitable[object]) -> None:
        """Run `work`; its failure is logged."""
        task: asyncio.Task[object] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def end(self) -> None:
        """Cancel what still runs, and give it a second to end."""
        for task in (tasks := list(self._tasks)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    def _finished(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, SwitchroomError):
            logger.warning("background work failed: %s", error.message)
        else:
            logger.error("background work failed", exc_info=error)
