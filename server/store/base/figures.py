"""The minutes behind the charts."""

from __future__ import annotations

import asyncio
from typing import Protocol

from ...models import Figures


class FiguresLog(Protocol):
    """One row for each minute: what the charts are drawn from."""

    def save(self, minute: Figures) -> asyncio.Future[None]:
        """Queue a minute, replacing the one with the same `at`."""
        ...

    async def read(self, since: int) -> list[Figures]:
        """Return the minutes that begin at `since` (Unix seconds) or later, oldest first."""
        ...
