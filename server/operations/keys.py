"""Stored keys, by an operator's hand."""

from __future__ import annotations

import json

from ..data.stored_keys import StoredKeys, expiry
from ..engine.engine import Engine
from ..errors import AlreadyEnded, NotFound, Unsupported
from ..models import Actor, Event, EventKind, Role, StoredKey
from ..rotation import Rotation, rotate
from ..sealing import event_about
from .actions import Actions


class KeyVerbs:
    """Setting, deleting and revealing keys; the tool sees the change at once."""

    def __init__(self, engine: Engine, actions: Actions) -> None:
        self._engine = engine
        self._actions = actions

    async def set_key(
        self,
        actor: Actor,
        session_id: str,
        name: str,
        value: object,
        *,
        if_version: int | None = None,
        secret: bool = False,
    ) -> StoredKey:
        """Store a JSON value; the key's expiry stays as it is, and a secret stays one.

        Raises:
            Forbidden: The actor may not act.
            AlreadyEnded: The session has ended.
            Conflict: The key's version is not `if_version`.
            InvalidInput, LimitReached, Unsupported: As for tools.
        """
        async with self._actions.run(actor, "set_key", f"{session_id} {name}") as action:
            keys = self._keys(actor, session_id)
            before = await keys.entry(name)
            expires_at = before.expires_at if before is not None else None
            stored = await keys.set(name, value, secret=secret, expires_at=expires_at, if_version=if_version)
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

    async def set_key_ttl(
        self, actor: Actor, session_id: str, name: str, ttl_seconds: float | None, *, if_version: int | None = None
    ) -> StoredKey:
        """Let a key vanish after some seconds from now, or never (`None`); its value stays.

        Raises:
            Forbidden: The actor may not act.
            AlreadyEnded: The session has ended.
            NotFound: The session does not hold the key.
            Conflict: The key's version is not `if_version`.
            InvalidInput: The time is not positive or too long.
        """
        async with self._actions.run(actor, "set_key_ttl", f"{session_id} {name}") as action:
            keys = self._keys(actor, session_id)
            stored = await keys.set_expiry(name, expiry(ttl_seconds), if_version=if_version)
            action.detail = {"version": stored.version, "ttl_seconds": ttl_seconds}
            return stored

    async def reveal_key(self, actor: Actor, session_id: str, name: str, *, event_seq: int | None = None) -> str:
        """Return the value of a secret as JSON text, or what it was in the `key` event `event_seq`.

        The caller has made sure that the actor gave their password again. The value is in no log.

        Raises:
            Forbidden: The actor is no admin.
            AlreadyEnded: The session has ended, and its keys are gone with it.
            NotFound: The session does not hold the key, or the log not the event.
            CannotOpen: It was sealed with a key that is not in the ring.
        """
        target = f"{session_id} {name}" + (f" event {event_seq}" if event_seq is not None else "")
        async with self._actions.run(actor, "reveal_key", target, needs=Role.ADMIN):
            if event_seq is not None:
                return await self._past_value(session_id, name, event_seq)
            value = await self._keys(actor, session_id).read(name)
            if value is None:
                raise NotFound(f"Session {session_id} holds no key {name!r}.")
            return value

    async def _past_value(self, session_id: str, name: str, seq: int) -> str:
        record = await self._engine.find_record(session_id)
        event = await self._engine.store.events.get(record.no, seq) if record is not None else None
        if event is None or event.kind is not EventKind.KEY or event.sealed is None or _name_in(event) != name:
            raise NotFound(f"Session {session_id} keeps no event {seq} that set the secret {name!r}.")
        return self._engine.ring.open(event.sealed, *event_about(session_id, seq))

    async def rotate_keys(self, actor: Actor) -> Rotation:
        """Seal every secret again under the newest key of the ring.

        Raises:
            Forbidden: The actor is no admin.
            Unsupported: No key ring is configured.
        """
        async with self._actions.run(actor, "rotate_keys", "all secrets", needs=Role.ADMIN) as action:
            if not self._engine.ring.is_lasting:
                raise Unsupported("No key ring is configured: set SWITCHROOM_SECRET_KEYS, with the newest key first.")
            rotation = await rotate(self._engine.store, self._engine.ring)
            action.outcome = "partly" if rotation.unopened else "done"
            action.detail = rotation._asdict()
            return rotation

    def _keys(self, actor: Actor, session_id: str) -> StoredKeys:
        session = self._engine.by_id.get(session_id)
        if session is None:
            raise AlreadyEnded(f"Session {session_id} has ended or is not known here; its keys are gone with it.")
        return StoredKeys(self._engine, session, by=actor.name)


def _name_in(event: Event) -> object:
    detail: dict[str, object] = json.loads(event.payload or "{}")
    return detail.get("key")
