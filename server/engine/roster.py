"""Which sessions there are in memory: by public reference, and by the hash of the secret that their client sends."""

from __future__ import annotations

from collections.abc import Iterable

from ..models import SessionKind, SessionRecord
from .session import LiveSession


class Roster:
    """Live sessions and sessionless clients, and the ended ones whose end the store does not have yet."""

    def __init__(self) -> None:
        self.by_id: dict[str, LiveSession] = {}
        self._by_hash: dict[bytes, LiveSession] = {}
        self._ended: dict[str, SessionRecord] = {}

    def add(self, session: LiveSession) -> None:
        """Have a session known."""
        record = session.record
        self.by_id[record.id] = session
        if record.sid_hash is not None:
            self._by_hash[record.sid_hash] = session

    def refuse(self, record: SessionRecord) -> None:
        """Find a session by its secret no more: it is about to end."""
        if record.sid_hash is not None:
            self._by_hash.pop(record.sid_hash, None)

    def remove(self, record: SessionRecord) -> None:
        """Take a session off: it has ended. Its record stays until `forget`."""
        self.by_id.pop(record.id, None)
        self._ended[record.id] = record

    def forget(self, record: SessionRecord) -> None:
        """The store knows how a session has ended."""
        self._ended.pop(record.id, None)

    def find(self, sid_hash: bytes) -> LiveSession | None:
        """Return the live session with that secret's hash."""
        return self._by_hash.get(sid_hash)

    def record(self, session_id: str) -> SessionRecord | None:
        """Return the record of a session that is live, or whose end the store does not have yet."""
        live = self.by_id.get(session_id)
        return live.record if live is not None else self._ended.get(session_id)

    def live(self, *, clients: bool) -> Iterable[LiveSession]:
        """Return the live sessions, or the sessionless clients of the newer era."""
        return [s for s in self.by_id.values() if (s.record.kind is SessionKind.CLIENT) is clients]

    def clear(self) -> None:
        """Forget everything: the engine has stopped."""
        self.by_id.clear()
        self._by_hash.clear()
        self._ended.clear()
