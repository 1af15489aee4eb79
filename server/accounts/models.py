"""Plain values of the accounts file. Times are Unix seconds (UTC); no secret or hash is in any of them."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from ..models import Role


class Operator(NamedTuple):
    """A person who may sign in to the console."""

    name: str
    role: Role
    has_password: bool
    """Without one, only a one-time link signs in."""
    is_disabled: bool
    created_at: float
    last_sign_in_at: float | None
    """`None` before the first sign-in."""


class ApiToken(NamedTuple):
    """A bearer token for scripts; its secret is shown once, when it is made."""

    id: str
    """Eight hexadecimal digits, unique; names need not be."""
    name: str
    role: Role
    created_at: float
    expires_at: float | None
    """`None` when it does not expire."""
    last_used_at: float | None
    """Accurate to a minute; `None` before the first use."""
    revoked_at: float | None

    def is_valid(self, now: float) -> bool:
        """Whether the token still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class SignIn(NamedTuple):
    """One browser's sign-in, as it stands now."""

    operator: str
    role: Role
    """The operator's role at this moment, not at the time of signing in."""
    created_at: float
    seen_at: float
    """Last time the operator did something; following a live stream does not count."""
    expires_at: float
    """When it ends at the latest, if the operator does nothing more."""


class OpenSignIn(NamedTuple):
    """A sign-in that has not ended, as the list of operators shows it."""

    id: str
    """Sixteen hexadecimal digits; tells it from others and opens nothing."""
    operator: str
    role: Role
    address: str
    created_at: float
    seen_at: float
    expires_at: float


def digest(secret: str) -> bytes:
    """Return what is stored of a random secret: its SHA-256."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class SavedView(NamedTuple):
    """A list of sessions under a name."""

    id: str
    owner: str
    title: str
    query: str
    """The query string of the list's address, without position."""
    is_shared: bool
    created_at: float
