"""The change bus: "something about session X changed".

A change carries no data and is coalesced by session, so a burst costs one entry and a slow follower
costs nothing: it asks what changed since the number it last saw. The log is the truth; after a gap a
follower reads again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import NamedTuple, Protocol


class Changes(NamedTuple):
    """What changed since a follower last asked."""

    version: int
    """Pass this to the next call."""
    session_ids: list[str]
    """Newest change first."""
    is_gap: bool
    """Older changes are no longer known: read everything again."""


class ChangeBus(Protocol):
    """Publish and follow changes. An engine for several workers forwards them between processes."""

    @property
    def version(self) -> int:
        """The number of the newest change."""
        ...

    def publish(self, session_id: str) -> int:
        """Note that a session changed and return the change's number. Never blocks or fails."""
        ...

    def since(self, version: int, *, limit: int = 10_000) -> Changes:
        """Return the sessions changed after `version`."""
        ...

    async def wait(self, version: int, timeout: float) -> bool:
        """Wait until something changed after `version`; `False` on a timeout."""
        ...


class LocalChangeBus:
    """The change bus of one process; for the event loop's thread only."""

    def __init__(self, *, keep: int = 200_000) -> None:
        self._version = 0
        self._floor = 0
        self._keep = keep
        self._latest: OrderedDict[str, int] = OrderedDict()
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def version(self) -> int:
        return self._version

    def publish(self, session_id: str) -> int:
        self._version += 1
        latest = self._latest
        latest[session_id] = self._version
        latest.move_to_end(session_id)
        if len(latest) > self._keep:
            _, self._floor = latest.popitem(last=False)
        if self._waiters:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()
        return self._version

    def since(self, version: int, *, limit: int = 10_000) -> Changes:
        session_ids: list[str] = []
        is_gap = version < self._floor or version > self._version
        for session_id, changed in reversed(self._latest.items()):
            if changed <= version:
                break
            if len(session_ids) == limit:
                is_gap = True
                break
            session_ids.append(session_id)
        return Changes(self._version, session_ids, is_gap)

    async def wait(self, version: int, timeout: float) -> bool:
        if self._version > version:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)
        return True
