"""Stored keys, by an operator's hand."""

from __future__ import annotations

import json

from ..data.session_data import check_name, to_json
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..errors import AlreadyEnded
from ..models import Actor, EventKind, StoredKey
from ..store.base import KeyLimits
from .actions import Actions


class KeyVerbs:
    """Setting and deleting keys; the tool sees the change at once."""

    def __init__(self, engine: Engine, actions: Actions) -> None:
        self._engine = engine
        self._actions = actions

    async def set_key(
        self, actor: Actor, session_id: str, name: str, value: object, *, if_version: int | None = None
    ) -> StoredKey:
        """Store a JSON value.

        Raises:
            Forbidden: The actor may not act.
            AlreadyEnded: The session has ended.
            Conflict: The key's version is not `if_version`.
            InvalidInput, LimitReached: As for tools.
        """
        async with self._actions.run(actor, "set_key", f"{session_id} {name}") as action:
            session = self._live(session_id)
            check_name(name)
            text = to_json(value)
            settings = self._engine.settings
            before = await self._engine.store.keys.get(session.record.no, name)
            stored = await self._engine.store.keys.put(
                session.record.no,
                name,
                text,
                size_bytes=len(text),
                expires_at=before.expires_at if before is not None else None,
                if_version=if_version,
                limits=KeyLimits(settings.max_keys, settings.max_value_bytes, settings.max_total_value_bytes),
            )
            await self._changed(actor, session, "set", name, stored.version)
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
            session = self._live(session_id)
            was_there = await self._engine.store.keys.delete(session.record.no, name, if_version=if_version)
            action.outcome = "done" if was_there else "refused"
            if was_there:
                await self._changed(actor, session, "delete", name, None)
            return was_there

    def _live(self, session_id: str) -> LiveSession:
        session = self._engine.by_id.get(session_id)
        if session is None:
            raise AlreadyEnded(f"Session {session_id} has ended or is not known here; its keys are gone with it.")
        return session

    async def _changed(self, actor: Actor, session: LiveSession, change: str, name: str, version: int | None) -> None:
        session.record.key_count = len(await self._engine.store.keys.list(session.record.no))
        payload = json.dumps({"change": change, "key": name, "version": version, "by": actor.name})
        session.note(EventKind.KEY, change, payload)
