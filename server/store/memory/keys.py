"""Stored keys in memory."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ...errors import SwitchroomError
from ...models import StoredKey
from ..base import KeyLimits, KeyWrite
from ..limits import check_key_limits, check_version
from ..text import json_text, plain_text


class _Entry(NamedTuple):
    key: StoredKey
    sealed: bytes | None


class MemoryKeyValues:
    """One dictionary for each session."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: dict[int, dict[str, _Entry]] = {}

    async def get(self, session_no: int, name: str) -> StoredKey | None:
        entry = self._live(session_no).get(name)
        return entry.key if entry is not None else None

    async def sealed(self, session_no: int, name: str) -> bytes | None:
        entry = self._live(session_no).get(name)
        return entry.sealed if entry is not None else None

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
        live = self._live(session_no)
        present = live.get(name)
        version = present.key.version if present is not None else 0
        check_version(name, version, if_version)
        others = [entry.key.size_bytes for other, entry in live.items() if other != name]
        check_key_limits(limits, other_keys=len(others), other_bytes=sum(others), size_bytes=size_bytes)
        key = StoredKey(name, json_text(value), version + 1, size_bytes, self._clock(), expires_at, plain_text(key_id))
        self._sessions.setdefault(session_no, {})[name] = _Entry(key, sealed)
        return key

    async def apply(self, session_no: int, writes: Sequence[KeyWrite], *, limits: KeyLimits) -> None:
        before = dict(self._sessions.get(session_no, {}))
        try:
            # Deletions first: they make room for the rest.
            for write in sorted(writes, key=lambda write: write.version is not None):
                await self._apply(session_no, write, limits)
        except SwitchroomError:
            self._sessions[session_no] = before
            raise

    async def _apply(self, session_no: int, write: KeyWrite, limits: KeyLimits) -> None:
        if write.version is None:
            present = self._live(session_no).get(write.name)
            check_version(write.name, present.key.version if present is not None else 0, write.if_version)
            await self.delete(session_no, write.name)
            return
        stored = await self.put(
            session_no,
            write.name,
            write.value,
            sealed=write.sealed,
            key_id=write.key_id,
            size_bytes=write.size_bytes,
            expires_at=write.expires_at,
            if_version=write.if_version,
            limits=limits,
        )
        kept = self._sessions[session_no][write.name]
        self._sessions[session_no][write.name] = kept._replace(key=stored._replace(version=write.version))

    async def delete(self, session_no: int, name: str, *, if_version: int | None = None) -> bool:
        entry = self._live(session_no).get(name)
        if entry is None:
            return False
        check_version(name, entry.key.version, if_version)
        del self._sessions[session_no][name]
        return True

    async def list(self, session_no: int) -> list[StoredKey]:
        return sorted(entry.key for entry in self._live(session_no).values())

    async def clear(self, session_no: int) -> int:
        count = self.size(session_no)
        self._sessions.pop(session_no, None)
        return count

    async def count(self, session_no: int) -> int:
        return self.size(session_no)

    def size(self, session_no: int) -> int:
        """Return how many keys a session has, at once."""
        return len(self._live(session_no))

    def sealed_values(self) -> Iterator[tuple[int, str, str]]:
        """Return every secret: session, name and token."""
        for session_no, entries in self._sessions.items():
            for name, entry in entries.items():
                if entry.sealed is not None:
                    yield session_no, name, entry.sealed.decode("ascii", "replace")

    def reseal(self, session_no: int, name: str, old: str, new: str, key_id: str) -> bool:
        """Put another token in the place of one that is still there."""
        entry = self._sessions.get(session_no, {}).get(name)
        if entry is None or entry.sealed != old.encode("ascii"):
            return False
        self._sessions[session_no][name] = _Entry(entry.key._replace(key_id=key_id), new.encode("ascii"))
        return True

    def forget(self, session_no: int) -> int:
        """Drop a session's keys, expired ones too, and return how many there were."""
        return len(self._sessions.pop(session_no, {}))

    async def drop_expired(self, now: float) -> builtins.list[tuple[int, str]]:
        expired = [
            (session_no, name)
            for session_no, entries in self._sessions.items()
            for name, entry in entries.items()
            if _is_expired(entry, now)
        ]
        for session_no, name in expired:
            del self._sessions[session_no][name]
        return expired

    def _live(self, session_no: int) -> dict[str, _Entry]:
        now = self._clock()
        entries = self._sessions.get(session_no, {})
        return {name: entry for name, entry in entries.items() if not _is_expired(entry, now)}


def _is_expired(entry: _Entry, now: float) -> bool:
    return entry.key.expires_at is not None and entry.key.expires_at <= now
