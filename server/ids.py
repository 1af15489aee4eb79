"""Identifiers: public references, session secrets and event ids on the wire."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import NamedTuple

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so an id survives being read aloud."""

_MAX_EVENT_ID = 64

_HANDLE = re.compile(r"h_[A-Za-z0-9_-]{32}")


def new_reference() -> str:
    """Return a public reference: 64 random bits as 13 characters."""
    value = secrets.randbits(64)
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(60, -1, -5))


def new_session_secret() -> str:
    """Return an `Mcp-Session-Id`: 128 random bits, visible ASCII (2025-11-25, transports, session management)."""
    return secrets.token_hex(16)


def new_handle() -> str:
    """Return a handle of the 2026-07-28 era: 192 random bits."""
    return "h_" + secrets.token_urlsafe(24)


def looks_like_handle(text: str) -> bool:
    """Whether a text has the form of a handle: only such text is masked, or clients could blank their own log."""
    return _HANDLE.fullmatch(text) is not None


def hash_secret(secret: str) -> bytes:
    """Return what the store keeps of a session id or handle."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class EventId(NamedTuple):
    """A position in one stream of one session, as the client holds it."""

    session_id: str
    epoch: int
    seq: int
    stream: int

    def __str__(self) -> str:
        return f"{self.session_id}.{self.epoch:x}.{self.seq:x}.{self.stream:x}"


def parse_event_id(text: str) -> EventId | None:
    """Return the decoded id, or `None` for anything that this server cannot have issued."""
    if len(text) > _MAX_EVENT_ID or not text.isascii():
        return None
    parts = text.split(".")
    if len(parts) != 4 or len(parts[0]) != 13:
        return None
    try:
        epoch, seq, stream = (int(part, 16) for part in parts[1:])
    except ValueError:
        return None
    event_id = EventId(parts[0], epoch, seq, stream)
    # Only the canonical spelling: `int` also takes "+1", "0x1", "1_0" and surrounding spaces.
    return event_id if str(event_id) == text else None
