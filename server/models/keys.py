"""The stored keys of a session, now and at a moment of its past."""

from __future__ import annotations

from typing import NamedTuple


class StoredKey(NamedTuple):
    """One key a tool stored for its session."""

    name: str
    value: str | None
    """JSON text; `None` for a secret, whose sealed bytes stay in the store."""
    version: int
    size_bytes: int
    updated_at: float
    expires_at: float | None = None
    key_id: str | None = None
    """Id of the encryption key a secret is sealed with; `None` for a plain value."""


class PastKey(NamedTuple):
    """A stored key as it was at a moment."""

    name: str
    value: str | None
    """JSON text; `None` for a secret, and where the log does not hold it any more."""
    version: int | None
    """`None` where only a later change tells that the key was there."""
    size_bytes: int | None
    updated_at: float | None
    expires_at: float | None
    is_secret: bool
    seq: int | None
    """The event that set it; `None` where that is not kept."""
    is_lost: bool
    """Whether the value is missing because retention dropped its event, or it was too large for the log."""


class KeysAt(NamedTuple):
    """What the stored keys of a session were directly after an event of its log."""

    seq: int
    at: float
    """Time of that event."""
    keys: list[PastKey]
    """By name."""
    dropped: int
    """Events at the beginning of the log that retention has dropped. Keys last changed among them are
    known only where they are still stored, or where a later event tells of them."""
