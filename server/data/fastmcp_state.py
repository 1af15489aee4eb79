"""fastmcp's session state, kept among the session's stored keys.

What `ctx.set_state` keeps then survives a restart with its session, and the console shows it. Sessions of
fastmcp's own (`SessionId`, `UserSession`) belong to no connection: their state is kept in the store beside the
sessions, for 30 days after the last change. What is left is state of one 2026-07-28 request; it stays in memory.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, SupportsFloat

from ..current import current_call
from ..models import SessionKind, StoredKey
from ..store.base import KeyLimits, KeyValues
from .session_data import SessionData
from .values import to_json

_WRAPPED = "value"
"""fastmcp hands over `{"value": …}`; the console shows what is inside."""

_OWN_SESSIONS = "session:"
"""How fastmcp's keys of its own sessions begin: `session:<principal>:<id>`."""

_KEPT_SECONDS = 30 * 24 * 3600.0
_KEPT_IN_MEMORY = 10_000
"""Values of single requests: nobody can ask for them again, so the oldest may go."""


class _Bucket(NamedTuple):
    """Where one session of fastmcp's own is kept: under a number that no session of ours has, since those count up."""

    keys: KeyValues
    no: int
    name: str
    limits: KeyLimits


class SessionStateStore:
    """An `AsyncKeyValue` of the py-key-value protocol, as `FastMCP(session_state_store=…)` takes it.

    A `FastMCP` that is attached without a store of its own gets one of these.
    """

    def __init__(self) -> None:
        self._requests: OrderedDict[tuple[str | None, str], tuple[dict[str, Any], float | None]] = OrderedDict()

    async def get(self, key: str, *, collection: str | None = None) -> dict[str, Any] | None:
        """Return a value, or `None` when it is absent or expired."""
        return (await self.ttl(key, collection=collection))[0]

    async def ttl(self, key: str, *, collection: str | None = None) -> tuple[dict[str, Any] | None, float | None]:
        """Return a value and the seconds it has left; `None` for those without a limit."""
        if (bucket := _bucket(key, collection)) is not None:
            stored = await bucket.keys.get(bucket.no, bucket.name)
        elif (data := _session_data()) is not None:
            stored = await data.entry(_name(key))
        else:
            value, expires_at = self._requests.get((collection, key), (None, None))
            is_over = expires_at is not None and expires_at < time.time()
            return (None, None) if is_over else (value, _left(expires_at))
        return (None, None) if stored is None else (_unpack(stored), _left(stored.expires_at))

    async def put(
        self, key: str, value: Mapping[str, Any], *, collection: str | None = None, ttl: SupportsFloat | None = None
    ) -> None:
        """Store a value, for `ttl` seconds where that is given.

        Raises:
            InvalidInput, LimitReached: As for `SessionData.set`.
        """
        seconds = float(ttl) if ttl is not None else None
        if (bucket := _bucket(key, collection)) is not None:
            text = to_json(value.get(_WRAPPED))
            expires_at = time.time() + (_KEPT_SECONDS if seconds is None else seconds)
            await bucket.keys.put(
                bucket.no, bucket.name, text, size_bytes=len(text), expires_at=expires_at, limits=bucket.limits
            )
        elif (data := _session_data()) is not None:
            await data.set(_name(key), value.get(_WRAPPED), ttl_seconds=seconds)
        else:
            self._requests[collection, key] = dict(value), time.time() + seconds if seconds is not None else None
            self._requests.move_to_end((collection, key))
            if len(self._requests) > _KEPT_IN_MEMORY:
                self._requests.popitem(last=False)

    async def delete(self, key: str, *, collection: str | None = None) -> bool:
        """Remove a value; `False` when it was not there."""
        if (bucket := _bucket(key, collection)) is not None:
            return await bucket.keys.delete(bucket.no, bucket.name)
        if (data := _session_data()) is not None:
            return await data.delete(_name(key))
        return self._requests.pop((collection, key), None) is not None

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


def _bucket(key: str, collection: str | None) -> _Bucket | None:
    """Return where a key of fastmcp's own sessions is kept; its id, a bearer secret, is not kept with it."""
    current = current_call.get()
    if current is None or not key.startswith(_OWN_SESSIONS):
        return None
    digest = hashlib.sha256(json.dumps([collection, key]).encode("ascii")).digest()
    number = -1 - int.from_bytes(digest[:7], "big")
    settings = current.engine.settings
    limits = KeyLimits(settings.max_keys, settings.max_value_bytes, settings.max_total_value_bytes)
    return _Bucket(current.engine.store.keys, number, f"fastmcp:{digest.hex()}", limits)


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
