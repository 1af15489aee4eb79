"""Forms about one stored key: its value, its time to live, its deletion, and showing a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..highlight import Rendered


@dataclass(frozen=True, slots=True)
class PresentValue:
    """What a key holds now, after somebody changed it while the operator was typing."""

    name: ClassVar[str] = "present"
    version: int
    json: Rendered | None
    """`None` for a secret."""


@dataclass(frozen=True, slots=True)
class KeyForm:
    """Set a key's value, or add a key."""

    template: ClassVar[str] = "dialogs/_key.html"
    name: ClassVar[str] = "keying"
    action: str
    key: str
    is_new: bool
    is_secret: bool
    value: str
    """JSON text as it was typed."""
    version: int
    """The version that the text was made from; 0 for a key that is not there."""
    error: str
    name_error: str
    present: PresentValue | None
    """Set when the key was changed meanwhile: both are shown, and nothing was stored."""


@dataclass(frozen=True, slots=True)
class KeyExpiryForm:
    """Change when a key vanishes."""

    template: ClassVar[str] = "dialogs/_key_expiry.html"
    name: ClassVar[str] = "lasting"
    action: str
    key: str
    version: int
    expires_at: float | None
    typed: str
    error: str


@dataclass(frozen=True, slots=True)
class KeyDeletionForm:
    """Delete a key."""

    template: ClassVar[str] = "dialogs/_key_deletion.html"
    name: ClassVar[str] = "dropping"
    action: str
    key: str
    version: int
    size: str
    error: str


@dataclass(frozen=True, slots=True)
class KeyRevelationForm:
    """Show a secret to an admin who gives their password again."""

    template: ClassVar[str] = "dialogs/_key_revelation.html"
    name: ClassVar[str] = "revealing"
    action: str
    key: str
    event_seq: int | None
    """The event that set it, for a value of the past."""
    error: str
    value: Rendered | None
    """The value, in the answer to the right password alone."""
