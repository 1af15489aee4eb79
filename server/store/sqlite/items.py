"""What waits for a commit: events, session rows and pieces of work, each with whoever waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ...errors import StoreUnavailable
from ...models import Event

T = TypeVar("T")

Append = tuple[asyncio.Future[None] | None, int, Event, float]
"""Future (`None`: nobody waits), session, event and when it was queued. A plain tuple: half the price of any object."""

SessionRow = tuple[object, ...]


class Save:
    """Session rows that wait together; a later row of the same session replaces an earlier one.

    Filled on the loop's thread until it is taken to be committed, under the queue's lock.
    """

    __slots__ = ("is_taken", "queued_at", "rows", "waiters")

    def __init__(self, queued_at: float) -> None:
        self.queued_at = queued_at
        """When the first of them was queued: its place among the other items."""
        self.rows: dict[int, SessionRow] = {}
        self.waiters: list[tuple[asyncio.Future[None], float]] = []
        self.is_taken = False

    def settle(self, error: Exception | None) -> None:
        """Answer everybody who waits; on the loop's thread."""
        for future, _ in self.waiters:
            answer(future, None, error)

    def expire(self, before: float) -> None:
        """Give up on those who have waited since before a time; on the loop's thread."""
        for future, queued_at in self.waiters:
            if queued_at <= before:
                answer(future, None, too_late())
        self.waiters = [waiter for waiter in self.waiters if waiter[1] > before]


class Job(Generic[T]):
    """Work inside the writer's transaction, in order with everything else."""

    __slots__ = ("future", "is_kept", "is_synced", "queued_at", "work")

    def __init__(
        self,
        future: asyncio.Future[T],
        work: Callable[[sqlite3.Connection], T],
        queued_at: float,
        *,
        is_synced: bool,
        is_kept: bool,
    ) -> None:
        self.future = future
        self.work = work
        self.queued_at = queued_at
        self.is_synced = is_synced
        """Committed in full before it is acknowledged, whatever the durability."""
        self.is_kept = is_kept
        """Done even when nobody waits any more. Otherwise a caller who was refused is not surprised later."""

    @property
    def is_abandoned(self) -> bool:
        return not self.is_kept and self.future.done()


Item = Append | Save | Job[Any]


def answer(future: asyncio.Future[T] | None, result: T, error: Exception | None) -> None:
    """Resolve a future unless somebody did; an error that nobody awaits is not reported by the loop."""
    if future is None or future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
        future.exception()


def too_late() -> StoreUnavailable:
    """Return the error of a write that was not committed in time."""
    return StoreUnavailable("The store did not acknowledge the write within 2 seconds; it is queued and tried again.")
