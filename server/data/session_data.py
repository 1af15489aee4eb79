"""`SessionData`: keys that a tool stores for its caller's session.

Use it by dependency injection, the same in both eras:

    @mcp.tool()
    async def remember(note: str, data: Annotated[SessionData, Resolve(session_data)]) -> str: ...

In the handshake era the session is the connection's. In the 2026-07-28 era, which has none, it is the
one whose handle the call passes as `session_id`.
"""

from __future__ import annotations

import json
import time
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from ..current import CurrentCall, current_call
from ..engine.session import LiveSession
from ..errors import InvalidInput
from ..models import EventKind, SessionKind, StoredKey
from ..modern.handles import UNKNOWN, handle_argument
from ..store.base import KeyLimits, KeyValues

MAX_NAME = 200
"""Characters of a key's name."""

NEEDS_HANDLE = (
    "This client speaks MCP 2026-07-28, which has no sessions: call open_session first, and pass the "
    "handle it returns as session_id."
)


class SessionData:
    """The stored keys of one session. Values are JSON; every change counts the key's version up."""

    def __init__(self, session: LiveSession, keys: KeyValues, limits: KeyLimits) -> None:
        self._session = session
        self._keys = keys
        self._limits = limits

    @property
    def session_id(self) -> str:
        """The session's public reference, as the console shows it. Not a secret."""
        return self._session.record.id

    async def get(self, name: str, default: Any = None) -> Any:
        """Return a key's value, or `default` when it is absent or expired."""
        stored = await self._keys.get(self._session.record.no, name)
        return default if stored is None or stored.value is None else json.loads(stored.value)

    async def entry(self, name: str) -> StoredKey | None:
        """Return a key with its version, size and time of change."""
        return await self._keys.get(self._session.record.no, name)

    async def set(
        self, name: str, value: Any, *, ttl_seconds: float | None = None, if_version: int | None = None
    ) -> StoredKey:
        """Store a JSON value and return the key as it now is.

        Args:
            ttl_seconds: Seconds until the key vanishes; `None` keeps it as long as the session.
            if_version: Store only if the key's version is this one; 0 means only if it is absent.

        Raises:
            InvalidInput: The name is empty, too long or has control characters, or the value is no JSON.
            Conflict: The key's version is another one.
            LimitReached: The session would store too many keys or bytes.
        """
        check_name(name)
        text = to_json(value)
        stored = await self._keys.put(
            self._session.record.no,
            name,
            text,
            size_bytes=len(text),
            expires_at=time.time() + ttl_seconds if ttl_seconds is not None else None,
            if_version=if_version,
            limits=self._limits,
        )
        await self._changed("set", name, stored.version)
        return stored

    async def delete(self, name: str, *, if_version: int | None = None) -> bool:
        """Remove a key; `False` when it was not there."""
        was_there = await self._keys.delete(self._session.record.no, name, if_version=if_version)
        if was_there:
            await self._changed("delete", name, None)
        return was_there

    async def keys(self) -> list[str]:
        """Return the names of all keys, sorted."""
        return [stored.name for stored in await self._keys.list(self._session.record.no)]

    async def clear(self) -> int:
        """Remove every key and return how many there were."""
        count = await self._keys.clear(self._session.record.no)
        if count:
            await self._changed("clear", "", None)
        return count

    async def _changed(self, change: str, name: str, version: int | None) -> None:
        self._session.record.key_count = len(await self._keys.list(self._session.record.no))
        if self._session.early_end is None:
            payload = json.dumps({"change": change, "key": name, "version": version})
            self._session.note(EventKind.KEY, change, payload)


def check_name(name: str) -> None:
    """Refuse names that people cannot read or type.

    Raises:
        InvalidInput: With what is allowed.
    """
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInput(f"A key's name has 1 to {MAX_NAME} printable characters.")


def to_json(value: Any) -> str:
    """Return a value as JSON text in ASCII.

    Raises:
        InvalidInput: It has no JSON form.
    """
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"Stored values must be JSON: {error}") from None


def key_limits(current: CurrentCall) -> KeyLimits:
    """Return the limits of one session's keys."""
    settings = current.engine.settings
    return KeyLimits(settings.max_keys, settings.max_value_bytes, settings.max_total_value_bytes)


def session_data(ctx: Context) -> SessionData:
    """Return the stored keys of the running call's session; for `Resolve`.

    Raises:
        ToolError: The server is not attached to Switchroom, or a call of the newer era has no valid handle.
    """
    current = current_call.get()
    if current is None:
        raise ToolError("Session data needs Switchroom: attach(mcp) or mount_console(app, mcp) before serving.")
    if current.session.record.kind is SessionKind.CLIENT:
        has_handle = handle_argument(ctx.request_context.params) is not None
        raise ToolError(UNKNOWN if has_handle else NEEDS_HANDLE)
    return SessionData(current.session, current.engine.store.keys, key_limits(current))
