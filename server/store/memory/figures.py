"""The minutes behind the charts, in memory."""

from __future__ import annotations

import asyncio

from ...models import Figures
from ..text import plain_text
from .done import done


class MemoryFigures:
    """Minutes by the time they begin."""

    def __init__(self) -> None:
        self._minutes: dict[int, Figures] = {}

    def save(self, minute: Figures) -> asyncio.Future[None]:
        by_name = {plain_text(name): counts for name, counts in minute.by_name.items()}
        self._minutes[minute.at] = minute._replace(by_name=by_name)
        return done()

    async def read(self, since: int) -> list[Figures]:
        return [self._minutes[at] for at in sorted(self._minutes) if at >= since]

    def drop_before(self, time: float) -> int:
        """Drop the minutes that began before and return how many that were."""
        old = [at for at in self._minutes if at < time]
        for at in old:
            del self._minutes[at]
        return len(old)
