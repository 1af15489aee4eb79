"""Password hashing: argon2id, off the event loop and never more than two at once."""

from __future__ import annotations

import secrets
import unicodedata
from base64 import b64encode
from typing import Final, NamedTuple

import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ..errors import InvalidInput

MIN_PASSWORD_LENGTH: Final = 12
MAX_PASSWORD_LENGTH: Final = 1024
"""Longer input is refused before it costs anything."""

PARALLEL_HASHES: Final = 2
"""Each takes 64 MiB and some 50 ms of a core: a flood of sign-ins may not take more than two."""


class Verified(NamedTuple):
    """The outcome of one check."""

    is_match: bool
    rehashed: str | None
    """A new hash to store, when the old one was made with other parameters."""


class Passwords:
    """Makes and checks password hashes."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limiter = anyio.CapacityLimiter(PARALLEL_HASHES)
        self._dummy = _impossible_hash(self._hasher)

    async def hash(self, password: str) -> str:
        """Return a hash to store.

        Raises:
            InvalidInput: The password is shorter than 12 or longer than 1,024 characters.
        """
        check_password(password)
        return await anyio.to_thread.run_sync(self._hasher.hash, _normal(password), limiter=self._limiter)

    async def verify(self, encoded: str | None, password: str) -> Verified:
        """Check a password. Takes as long when `encoded` is `None` (unknown name, no password) as when it is not."""
        candidate = _normal(password[:MAX_PASSWORD_LENGTH])
        is_match, rehashed = await anyio.to_thread.run_sync(
            self._verify, encoded or self._dummy, candidate, limiter=self._limiter
        )
        if encoded is None or len(password) > MAX_PASSWORD_LENGTH:
            return Verified(False, None)
        return Verified(is_match, rehashed)

    def _verify(self, encoded: str, candidate: bytes) -> Verified:
        try:
            self._hasher.verify(encoded, candidate)
        except (VerificationError, InvalidHashError):
            return Verified(False, None)
        return Verified(True, self._hasher.hash(candidate) if self._hasher.check_needs_rehash(encoded) else None)


def check_password(password: str) -> None:
    """Raise `InvalidInput` unless the password may be set."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise InvalidInput(f"A password needs {MIN_PASSWORD_LENGTH} characters or more.")
    if len(password) > MAX_PASSWORD_LENGTH:
        raise InvalidInput(f"A password has at most {MAX_PASSWORD_LENGTH:,} characters.")


def _normal(password: str) -> bytes:
    # The same characters typed on another keyboard may arrive composed or decomposed (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _impossible_hash(hasher: PasswordHasher) -> str:
    salt, value = (_base64(secrets.token_bytes(size)) for size in (hasher.salt_len, hasher.hash_len))
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${value}"


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode("ascii").rstrip("=")
