"""Stored keys within one call that is all or nothing: changes are held back until the call has succeeded.

The call reads its own changes. Others see all of them at once, or none: they are committed in one
transaction, and only if nobody changed the same keys meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import NamedTuple

from ..errors import Conflict
from ..models import StoredKey
from ..store.base import KeyLimits, KeyValues, KeyWrite
from ..store.limits import check_key_limits, check_version
from .retrying import retried


class _Held(NamedTuple):
    """A key as the call sees it."""

    key: StoredKey | None
    sealed: bytes | None
    base: int
    """The version that the call found first; 0 when it was absent."""
    is_changed: bool


class Unit:
    """What one call has changed so far. Offers what `StoredKeys` uses of a store's keys."""

    def __init__(self, store: KeyValues) -> None:
        self._store = store
        self._held: dict[int, dict[str, _Held]] = {}
        self._limits: KeyLimits | None = None
        self._after: list[Callable[[], Awaitable[None]]] = []

    def after_commit(self, note: Callable[[], Awaitable[None]]) -> None:
        """Have something done once the changes are kept, in order."""
        self._after.append(note)

    # -- reading -------------------------------------------------------------------------------

    async def get(self, session_no: int, name: str) -> StoredKey | None:
        return (await self._look(session_no, name)).key

    async def sealed(self, session_no: int, name: str) -> bytes | None:
        held = await self._look(session_no, name)
        if held.is_changed:
            return held.sealed
        return await retried(lambda: self._store.sealed(session_no, name))

    async def list(self, session_no: int) -> list[StoredKey]:
        found = {key.name: key for key in await retried(lambda: self._store.list(session_no))}
        for name, held in self._held.get(session_no, {}).items():
            if held.is_changed:
                found.pop(name, None)
                found.update({name: held.key} if held.key is not None else {})
        return [found[name] for name in sorted(found)]

    async def count(self, session_no: int) -> int:
        return len(await self.list(session_no))

    async def _look(self, session_no: int, name: str) -> _Held:
        held = self._held.setdefault(session_no, {}).get(name)
        if held is None:
            key = await retried(lambda: self._store.get(session_no, name))
            held = _Held(key, None, key.version if key is not None else 0, False)
            self._held[session_no][name] = held
        return held

    # -- changing ------------------------------------------------------------------------------

    async def put(
        self,
        session_no: int,
        name: str,
        value: str | None,
        *,
        sealed: bytes | None = None,
        key_id: str | None = None,
        size_bytes: int,
        expires_at: float | None = None,
        if_version: int | None = None,
        limits: KeyLimits,
    ) -> StoredKey:
        held = await self._look(session_no, name)
        present = held.key.version if held.key is not None else 0
        check_version(name, present, if_version)
        others = [key.size_bytes for key in await self.list(session_no) if key.name != name]
        check_key_limits(limits, other_keys=len(others), other_bytes=sum(others), size_bytes=size_bytes)
        self._limits = limits
        key = StoredKey(name, value, present + 1, size_bytes, time.time(), expires_at, key_id)
        self._held[session_no][name] = _Held(key, sealed, held.base, True)
        return key

    async def delete(self, session_no: int, name: str, *, if_version: int | None = None) -> bool:
        held = await self._look(session_no, name)
        if held.key is None:
            return False
        check_version(name, held.key.version, if_version)
        self._held[session_no][name] = _Held(None, None, held.base, True)
        return True

    async def clear(self, session_no: int) -> int:
        names = [key.name for key in await self.list(session_no)]
        for name in names:
            await self.delete(session_no, name)
        return len(names)

    # -- the end -------------------------------------------------------------------------------

    async def commit(self) -> None:
        """Keep every change, in one transaction for each session, and have what waits for that done.

        Raises:
            Conflict: Somebody else changed one of the keys meanwhile; nothing was changed.
            LimitReached: The session would hold too much; nothing was changed.
            StoreUnavailable: The store did not take them, tried several times; nothing was changed.
        """
        for session_no, held in self._held.items():
            writes = [_write(name, each) for name, each in held.items() if each.is_changed]
            if writes:
                await self._commit(session_no, writes)
        for note in self._after:
            await note()

    async def _commit(self, session_no: int, writes: Sequence[KeyWrite]) -> None:
        tried = 0

        async def write() -> None:
            nonlocal tried
            tried += 1
            try:
                await self._store.apply(session_no, writes, limits=self._limits or KeyLimits())
            except Conflict:
                # An attempt whose acknowledgement came too late may have been carried out all the same.
                if tried == 1 or not await self._is_done(session_no, writes):
                    raise

        await retried(write)

    async def _is_done(self, session_no: int, writes: Sequence[KeyWrite]) -> bool:
        for write in writes:
            key = await self._store.get(session_no, write.name)
            if (key.version if key is not None else None) != write.version:
                return False
        return True


def _write(name: str, held: _Held) -> KeyWrite:
    key = held.key
    if key is None:
        return KeyWrite(name, held.base, None)
    return KeyWrite(name, held.base, key.version, key.value, held.sealed, key.key_id, key.size_bytes, key.expires_at)


current_unit: ContextVar[Unit | None] = ContextVar("switchroom_current_unit", default=None)
"""Set while a tool that is all or nothing runs."""
