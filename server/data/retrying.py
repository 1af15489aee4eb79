"""Trying again what the store could not do just now, where doing it twice is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import StoreUnavailable

T = TypeVar("T")

ATTEMPTS = 3
"""With what the store itself waits, some seven seconds in all: a client still waits, a person does not give up."""

_FIRST_WAIT = 0.1


async def retried(work: Callable[[], Awaitable[T]], *, attempts: int = ATTEMPTS) -> T:
    """Return what `work` returns; it is done again while the store is unavailable, `attempts` times at most.

    Raises:
        StoreUnavailable: Of the last attempt.
    """
    wait = _FIRST_WAIT
    for _ in range(attempts - 1):
        try:
            return await work()
        except StoreUnavailable:
            await asyncio.sleep(wait)
            wait *= 3
    return await work()
