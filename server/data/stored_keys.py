"""The stored keys of one session: read, changed, and every change in its log.

Tools come here through `SessionData`, operators through `operations`, so a change is bounded, counted
and recorded the same whoever makes it.
"""

from __future__ import annotations

import json
import time
from typing import Any

from ..engine.engine import Engine
from ..engine.limits import Limit
from ..engine.session import LiveSession
from ..errors import InvalidInput, LimitReached, NotFound
from ..models import EventKind, StoredKey
from ..sealing import event_about, value_about
from ..store.base import KeyLimits, KeyValues
from .unit import Unit, current_unit
from .values import check_name, to_json

MAX_TTL_SECONDS = 10 * 365 * 24 * 3600.0
"""A key that should live longer needs no limit."""


class StoredKeys:
    """Reads and changes the keys of one live session."""

    def __init__(self, engine: Engine, session: LiveSession, *, by: str | None = None) -> None:
        """Args:
        by: The operator who acts, as the log names them; `None` for a tool.
        """
        settings = engine.settings
        self._engine = engine
        self._session = session
        self._by = by
        self._no = session.record.no
        self._limits = KeyLimits(settings.max_keys, settings.max_value_bytes, settings.max_total_value_bytes)

    @property
    def _store(self) -> KeyValues | Unit:
        """Where keys are now: in the store, or in the unit of a tool that is all or nothing."""
        unit = current_unit.get() if self._by is None else None
        return unit if unit is not None else self._engine.store.keys

    async def entry(self, name: str) -> StoredKey | None:
        """Return a key, or `None` when it is absent or expired."""
        return await self._store.get(self._no, name)

    async def read(self, name: str) -> str | None:
        """Return a key's value as JSON text, a secret opened; `None` when it is absent or expired.

        Raises:
            CannotOpen: It is a secret of another key ring, or was tampered with.
        """
        stored = await self._store.get(self._no, name)
        if stored is None or stored.key_id is None:
            return stored.value if stored is not None else None
        sealed = await self._store.sealed(self._no, name)
        if sealed is None:  # replaced since by a plain value, or removed
            return await self.read(name)
        return self._engine.ring.open(sealed.decode("ascii", "replace"), *value_about(self._session.record.id, name))

    async def all(self) -> list[StoredKey]:
        """Return every key, by name."""
        return await self._store.list(self._no)

    async def set(
        self,
        name: str,
        value: Any,
        *,
        secret: bool = False,
        expires_at: float | None = None,
        if_version: int | None = None,
    ) -> StoredKey:
        """Store a JSON value and return the key as it now is; what was a secret stays one.

        Raises:
            Unsupported: It is to be a secret, and no key ring is configured.
            InvalidInput: The name is empty, too long or has control characters, or the value is no JSON.
            Conflict: The key's version is not `if_version`.
            LimitReached: The value is too large, or the session would store too many keys or bytes.
        """
        check_name(name)
        is_secret = secret or await self._is_secret(name)
        if is_secret:
            self._engine.ring.check_keeps_values()
        text = to_json(value, may_hold_secrets=is_secret)
        about = value_about(self._session.record.id, name)
        sealed = self._engine.ring.seal(text, *about).encode("ascii") if is_secret else None
        try:
            stored = await self._store.put(
                self._no,
                name,
                None if is_secret else text,
                sealed=sealed,
                key_id=self._engine.ring.newest if is_secret else None,
                size_bytes=len(text),
                expires_at=expires_at,
                if_version=if_version,
                limits=self._limits,
            )
        except LimitReached:
            self._engine.limit_hits.hit(Limit.KEYS, self._session.record.id)
            raise
        detail: dict[str, object] = {"version": stored.version, "size_bytes": stored.size_bytes}
        if expires_at is not None:
            detail["expires_at"] = expires_at
        if stored.key_id is not None:
            detail["key_id"] = stored.key_id
        await self._changed("set", name, detail, value=text, is_secret=is_secret)
        return stored

    async def _is_secret(self, name: str) -> bool:
        present = await self._store.get(self._no, name)
        return present is not None and present.key_id is not None

    async def set_expiry(self, name: str, expires_at: float | None, *, if_version: int | None = None) -> StoredKey:
        """Change when a key vanishes, and return the key as it now is.

        Raises:
            NotFound: The key is absent.
            Conflict: The key's version is not `if_version`, or somebody changed it meanwhile.
        """
        present = await self._store.get(self._no, name)
        value = await self.read(name)
        if present is None or value is None:
            raise NotFound(f"Session {self._session.record.id} holds no key {name!r}.")
        version = present.version if if_version is None else if_version
        return await self.set(name, json.loads(value), expires_at=expires_at, if_version=version)

    async def delete(self, name: str, *, if_version: int | None = None) -> bool:
        """Remove a key; `False` when it was not there.

        Raises:
            Conflict: The key's version is not `if_version`.
        """
        was_there = await self._store.delete(self._no, name, if_version=if_version)
        if was_there:
            await self._changed("delete", name, {})
        return was_there

    async def clear(self) -> int:
        """Remove every key and return how many there were."""
        count = await self._store.clear(self._no)
        if count:
            await self._changed("clear", "", {"count": count})
        return count

    async def _changed(
        self,
        change: str,
        name: str,
        detail: dict[str, object],
        *,
        value: str | None = None,
        is_secret: bool = False,
    ) -> None:
        """Count and record a change; in a tool that is all or nothing, once it is kept."""
        unit = self._store

        async def record() -> None:
            await self._record_change(change, name, detail, value=value, is_secret=is_secret)

        if isinstance(unit, Unit):
            unit.after_commit(record)
        else:
            await record()

    async def _record_change(
        self, change: str, name: str, detail: dict[str, object], *, value: str | None, is_secret: bool
    ) -> None:
        self._session.record.key_count = await self._store.count(self._no)
        if self._session.early_end is not None:
            return
        payload: dict[str, object] = {"change": change, **({"key": name} if name else {}), **detail}
        if self._by is not None:
            payload["by"] = self._by
        text, sealed = json.dumps(payload), None
        # What the keys were at a moment is read back from here; a larger value than the log takes is left out.
        settings = self._engine.settings
        is_kept = settings.payloads == "full" and len(value or "") <= settings.max_payload_bytes
        if value is not None and not is_kept:
            text = f'{text[:-1]}, "omitted": true}}'
        elif value is not None and is_secret:
            record = self._session.record
            sealed = self._engine.ring.seal(value, *event_about(record.id, record.last_seq + 1))
        elif value is not None:
            text = f'{text[:-1]}, "value": {value}}}'
        self._session.note(EventKind.KEY, change, text, sealed=sealed)


def expiry(ttl_seconds: float | None) -> float | None:
    """Return when a key set now expires; `None` for never.

    Raises:
        InvalidInput: The time is not positive, or longer than anybody means.
    """
    if ttl_seconds is None:
        return None
    if not 0 < ttl_seconds <= MAX_TTL_SECONDS:
        raise InvalidInput(f"ttl_seconds is more than 0 and at most {MAX_TTL_SECONDS:,.0f}; leave it out for no limit.")
    return time.time() + ttl_seconds
