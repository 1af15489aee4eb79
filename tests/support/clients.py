"""Real SDK clients, and waiting for what they hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import mcp_types
from mcp import Client


class Hearing:
    """Collects what the server tells a client."""

    def __init__(self) -> None:
        self.logs: list[Any] = []
        self.progress: list[float] = []
        self._changed = asyncio.Event()

    async def on_log(self, params: Any) -> None:
        self.logs.append(params.data)
        self._changed.set()

    async def on_progress(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append(progress)
        self._changed.set()

    async def until_logged(self, text: str, times: int = 1) -> None:
        """Wait until that message has arrived so often; at most five seconds."""
        async with asyncio.timeout(5):
            while self.logs.count(text) < times:
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def connected(
    url: str, *, mode: str = "legacy", name: str = "tester", **options: Any
) -> AsyncGenerator[tuple[Client, Hearing]]:
    """Connect a client of either era: `legacy` speaks 2025-11-25, `auto` 2026-07-28."""
    hearing = Hearing()
    info = mcp_types.Implementation(name=name, version="1.0")
    async with Client(url, mode=mode, client_info=info, logging_callback=hearing.on_log, **options) as client:
        yield client, hearing


def text_of(result: Any) -> str:
    """Return the first text of a tool's answer."""
    return str(result.content[0].text)
