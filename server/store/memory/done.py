"""Futures of writes that are finished as soon as they are made."""

from __future__ import annotations

import asyncio


def done() -> asyncio.Future[None]:
    """Return a resolved future of the running loop."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future
