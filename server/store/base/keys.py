"""Stored keys, their bounds and changes."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ...models import StoredKey


class KeyLimits(NamedTuple):
    """Bounds of one session's stored keys."""

    max_keys: int = 1_000
    max_value_bytes: int = 256 * 1024
    max_total_bytes: int = 4 * 1024 * 1024


class KeyWrite(NamedTuple):
    """One change of a stored key among several that are made together."""

    name: str
    if_version: int
    """The version it must have now; 0: it must be absent."""
    version: int | None
    """The version it has then; `None` deletes it."""
    value: str | None = None
    sealed: bytes | None = None
    key_id: str | None = None
    size_bytes: int = 0
    expires_at: float | None = None


class KeyValues(Protocol):
    """Stored keys. Expired keys are never returned."""

    async def get(self, session_no: int, name: str) -> StoredKey | None: ...

    async def sealed(self, session_no: int, name: str) -> bytes | None:
        """Return a secret's sealed bytes, or `None` when the key is absent or not a secret."""
        ...

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
        """Store a value (JSON text) or sealed bytes and return the new row, version counted up.

        `if_version=0` means "only when absent".

        Raises:
            Conflict: The present version is not `if_version`.
            LimitReached: The session would hold too many keys or bytes; nothing was changed.
        """
        ...

    async def apply(self, session_no: int, writes: Sequence[KeyWrite], *, limits: KeyLimits) -> None:
        """Make all of these changes, or none.

        Raises:
            Conflict: A key is at another version than its write expects.
            LimitReached: The session would hold too many keys or bytes.
        """
        ...

    async def delete(self, session_no: int, name: str, *, if_version: int | None = None) -> bool: ...

    async def list(self, session_no: int) -> list[StoredKey]:
        """Return all keys, by name."""
        ...

    async def count(self, session_no: int) -> int:
        """Return how many keys there are."""
        ...

    async def clear(self, session_no: int) -> int: ...

    async def drop_expired(self, now: float) -> builtins.list[tuple[int, str]]:
        """Remove keys whose time is up, some at a time, and return their sessions and names; `[]` when none is left."""
        ...
