"""The session ids that were refused lately, so that a client's 404 can be explained to an operator."""

from __future__ import annotations

import time
from collections import OrderedDict
from enum import StrEnum
from typing import NamedTuple

from ..ids import hash_secret
from ..models import SessionKind

MAX_REFUSALS = 200
"""Ids kept; one more makes the one that was refused longest ago leave."""


class Verdict(StrEnum):
    """What a session id turned out to be."""

    LIVE = "live"
    ENDED = "ended"
    OTHER_PRINCIPAL = "other_principal"
    OTHER_SERVER = "other_server"
    """Of another mounted server, or of a transport that carries its ids elsewhere."""
    UNKNOWN = "unknown"
    """Never issued here, or ended longer ago than ended ids are kept."""


class Asker(NamedTuple):
    """Who sent a session id, and to which server."""

    server: str
    principal: str | None
    principal_key: str | None
    address: str
    kind: SessionKind = SessionKind.STREAMABLE_HTTP
    """What the id was sent as: an `Mcp-Session-Id`, an HTTP+SSE address or a handle."""


class Refusal(NamedTuple):
    """One refused id and its last refusal."""

    sid_hash: bytes
    prefix: str
    """First eight characters, as sent: any text."""
    verdict: Verdict
    sentence: str
    session_id: str | None
    """Public reference of the session the id names; `None` when it names none."""
    address: str
    principal: str | None
    """Who sent it, not whose session it is."""
    first_at: float
    last_at: float
    times: int


class Refusals:
    """The last `MAX_REFUSALS` refused ids, in memory. For the event loop's thread only."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Refusal] = OrderedDict()

    def note(self, secret: str, asker: Asker, verdict: Verdict, sentence: str, session_id: str | None) -> None:
        """Count one more refusal of an id. The id itself, a bearer secret, is not kept."""
        now, sid_hash = time.time(), hash_secret(secret)
        before = self._kept.pop(sid_hash, None)
        self._kept[sid_hash] = Refusal(
            sid_hash,
            secret[:8],
            verdict,
            sentence,
            session_id,
            asker.address,
            asker.principal,
            first_at=now if before is None else before.first_at,
            last_at=now,
            times=1 if before is None else before.times + 1,
        )
        if len(self._kept) > MAX_REFUSALS:
            self._kept.popitem(last=False)

    def get(self, sid_hash: bytes) -> Refusal | None:
        """Return the refusals of the id with that hash."""
        return self._kept.get(sid_hash)

    def latest(self) -> list[Refusal]:
        """Return all that are kept, the last refused first."""
        return list(reversed(self._kept.values()))
