"""Stored keys, by an operator's hand."""

from __future__ import annotations

from ..data.stored_keys import StoredKeys
from ..engine.engine import Engine
from ..errors import AlreadyEnded
from ..models import Actor, StoredKey
from .actions import Actions


class KeyVerbs:
    """Setting and deleting keys; the tool sees the change at once."""

    def __init__(self, engine: Engine, actions: Actions) -> None:
        self._engine = engine
        self._actions = actions

    async def set_key(
        self, actor: Actor, session_id: str, name: str, value: object, *, if_version: int | None = None
    ) -> StoredKey:
        """Store a JSON value; the key's expiry stays as it is.

        Raises:
            Forbidden: The actor may not act.
            AlreadyEnded: The session has ended.
            Conflict: The key's version is not `if_version`.
            InvalidInput, LimitReached: As for tools.
        """
        async with self._actions.run(actor, "set_key", f"{session_id} {name}") as action:
            keys = self._keys(actor, session_id)
            before = await keys.entry(name)
            expires_at = before.expires_at if before is not None else None
            stored = await keys.set(name, value, expires_at=expires_at, if_version=if_version)
            action.detail = {"version": stored.version, "size_bytes": stored.size_bytes}
            return stored

    async def delete_key(self, actor: Actor, session_id: str, name: str, *, if_version: int | None = None) -> bool:
        """Delete a key; `False` when it was not there.

        Raises:
            Forbidden: The actor may not act.
            AlreadyEnded: The session has ended.
            Conflict: The key's version is not `if_version`.
        """
        async with self._actions.run(actor, "delete_key", f"{session_id} {name}") as action:
            was_there = await self._keys(actor, session_id).delete(name, if_version=if_version)
            action.outcome = "done" if was_there else "refused"
            return was_there

    def _keys(self, actor: Actor, session_id: str) -> StoredKeys:
        session = self._engine.by_id.get(session_id)
        if session is None:
            raise AlreadyEnded(f"Session {session_id} has ended or is not known here; its keys are gone with it.")
        return StoredKeys(self._engine, session, by=actor.name)
