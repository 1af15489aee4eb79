"""`SessionData`: keys that a tool stores for its caller's session.

Use it by dependency injection, the same in both eras:

    @mcp.tool()
    async def remember(note: str, data: Annotated[SessionData, Resolve(session_data)]) -> str: ...

In the handshake era the session is the connection's. In the 2026-07-28 era, which has none, it is the
one whose handle the call passes as `session_id`.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar, overload

from mcp.server.mcpserver import Context

from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..models import StoredKey
from .calling import calling_session
from .stored_keys import StoredKeys, expiry
from .telling import told
from .values import check_name, reader_of

T = TypeVar("T")
D = TypeVar("D")


class SessionData:
    """The stored keys of one session. Values are JSON; every change counts the key's version up.

    Its errors are `ToolError`s as well: one that a tool does not catch tells the client what to do.
    """

    def __init__(self, engine: Engine, session: LiveSession) -> None:
        self._session = session
        self._keys = StoredKeys(engine, session)

    @property
    def session_id(self) -> str:
        """The session's public reference, as the console shows it. Not a secret."""
        return self._session.record.id

    @overload
    async def get(self, name: str, default: Any = None) -> Any: ...
    @overload
    async def get(self, name: str, default: None = None, *, as_type: type[T]) -> T | None: ...
    @overload
    async def get(self, name: str, default: D, *, as_type: type[T]) -> T | D: ...
    async def get(self, name: str, default: Any = None, *, as_type: Any = None) -> Any:
        """Return a key's value, or `default` when it is absent or expired.

        Args:
            as_type: Read it as this type: a pydantic model, a dataclass, `list[int]`, … Plain JSON without it.

        Raises:
            CannotOpen: It is a secret, and was sealed with a key that is not in the ring.
            InvalidInput: What is stored is no `as_type`, because it was stored as something else, or no key can be
                called that.
        """
        with told():
            check_name(name)
            text = await self._keys.read(name)
            if text is None:
                return default
            return json.loads(text) if as_type is None else reader_of(as_type, name)(text)

    async def entry(self, name: str) -> StoredKey | None:
        """Return a key with its version, size, expiry and time of change; `None` when it is absent or expired.

        Raises:
            InvalidInput: No key can be called that.
        """
        with told():
            check_name(name)
            return await self._keys.entry(name)

    async def set(
        self,
        name: str,
        value: Any,
        *,
        secret: bool = False,
        ttl_seconds: float | None = None,
        if_version: int | None = None,
    ) -> StoredKey:
        """Store a value, JSON or anything that pydantic makes JSON of, and return the key as it now is.

        Args:
            secret: Seal it (AES-256-GCM, key ring in SWITCHROOM_SECRET_KEYS): neither the file nor the console shows
                it, only an admin who gives the password again. What is a secret stays one until it is deleted.
            ttl_seconds: Seconds until the key vanishes; `None` keeps it as long as the session.
            if_version: Store only if the key's version is this one; 0 means only if it is absent.

        Raises:
            Unsupported: `secret=True`, and no key ring is configured; the message says how to make one.
            InvalidInput: The name is blank, too long or has control characters, or the value has no JSON form.
            Conflict: The key's version is another one; nothing was changed.
            LimitReached: The value is too large, or the session would store too many keys or bytes.
        """
        with told():
            return await self._keys.set(
                name, value, secret=secret, expires_at=expiry(ttl_seconds), if_version=if_version
            )

    async def delete(self, name: str, *, if_version: int | None = None) -> bool:
        """Remove a key; `False` when it was not there.

        Raises:
            Conflict: The key's version is not `if_version`.
            InvalidInput: No key can be called that.
        """
        with told():
            check_name(name)
            return await self._keys.delete(name, if_version=if_version)

    async def keys(self) -> list[str]:
        """Return the names of all keys, sorted."""
        with told():
            return [stored.name for stored in await self._keys.all()]

    async def clear(self) -> int:
        """Remove every key and return how many there were."""
        with told():
            return await self._keys.clear()


def session_data(ctx: Context) -> SessionData:
    """Return the stored keys of the running call's session; for `Resolve`.

    Raises:
        ToolError: The server is not attached to Switchroom, or a call of the newer era has no valid handle.
    """
    current = calling_session(ctx, "Session data")
    return SessionData(current.engine, current.session)
