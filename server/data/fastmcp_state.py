"""fastmcp's session state, kept among the session's stored keys.

`FastMCP("name", session_state_store=SessionStateStore())`: what `ctx.set_state` keeps then survives a
restart with its session, and the console shows it. State of the 2026-07-28 era, which belongs to no
session of ours, stays in memory, as it does without this.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat

from ..current import current_call
from ..models import SessionKind, StoredKey
from .session_data import SessionData

_WRAPPED = "value"
"""fastmcp hands over `{"value": …}`; the console shows what is inside."""


class SessionStateStore:
    """An `AsyncKeyValue` of the py-key-value protocol, as `FastMCP(session_state_store=…)` takes it."""

    def __init__(self) -> None:
        self._elsewhere: dict[tuple[str | None, str], tuple[dict[str, Any], float | None]] = {}

    async def get(self, key: str, *, collection: str | None = None) -> dict[str, Any] | None:
        """Return a value, or `None` when it is absent or expired."""
        return (await self.ttl(key, collection=collection))[0]

    async def ttl(self, key: str, *, collection: str | None = None) -> tuple[dict[str, Any] | None, float | None]:
        """Return a value and the seconds it has left; `None` for those without a limit."""
        data = _session_data()
        if data is None:
            value, expires_at = self._elsewhere.get((collection, key), (None, None))
            is_over = expires_at is not None and expires_at < time.time()
            return (None, None) if is_over else (value, _left(expires_at))
        stored = await data.entry(_name(key))
        return (None, None) if stored is None else (_unpack(stored), _left(stored.expires_at))

    async def put(
        self, key: str, value: Mapping[str, Any], *, collection: str | None = None, ttl: SupportsFloat | None = None
    ) -> None:
        """Store a value, for `ttl` seconds where that is given.

        Raises:
            InvalidInput, LimitReached: As for `SessionData.set`.
        """
        seconds = float(ttl) if ttl is not None else None
        data = _session_data()
        if data is None:
            self._elsewhere[collection, key] = dict(value), time.time() + seconds if seconds is not None else None
        else:
            await data.set(_name(key), value.get(_WRAPPED), ttl_seconds=seconds)

    async def delete(self, key: str, *, collection: str | None = None) -> bool:
        """Remove a value; `False` when it was not there."""
        data = _session_data()
        if data is None:
            return self._elsewhere.pop((collection, key), None) is not None
        return await data.delete(_name(key))

    async def get_many(self, keys: Sequence[str], *, collection: str | None = None) -> list[dict[str, Any] | None]:
        """Return several values, in the order of their keys."""
        return [await self.get(key, collection=collection) for key in keys]

    async def ttl_many(
        self, keys: Sequence[str], *, collection: str | None = None
    ) -> list[tuple[dict[str, Any] | None, float | None]]:
        """Return several values and the seconds they have left."""
        return [await self.ttl(key, collection=collection) for key in keys]

    async def put_many(
        self,
        keys: Sequence[str],
        values: Sequence[Mapping[str, Any]],
        *,
        collection: str | None = None,
        ttl: SupportsFloat | None = None,
    ) -> None:
        """Store several values with one limit of time."""
        for key, value in zip(keys, values, strict=True):
            await self.put(key, value, collection=collection, ttl=ttl)

    async def delete_many(self, keys: Sequence[str], *, collection: str | None = None) -> int:
        """Remove several values and return how many were there."""
        return sum([await self.delete(key, collection=collection) for key in keys])


def _session_data() -> SessionData | None:
    current = current_call.get()
    if current is None or current.session.record.kind is SessionKind.CLIENT:
        return None
    return SessionData(current.engine, current.session)


def _name(key: str) -> str:
    """Return a key without the session's secret id, which fastmcp puts before it."""
    return key.partition(":")[2] or key


def _unpack(stored: StoredKey) -> dict[str, Any]:
    return {_WRAPPED: json.loads(stored.value) if stored.value is not None else None}


def _left(expires_at: float | None) -> float | None:
    return max(0.0, expires_at - time.time()) if expires_at is not None else None
