"""Sealing secrets: AES-256-GCM under a ring of named keys.

A sealed text is a token `v1.<key id>.<base64url>` of nonce, ciphertext and tag. What it is about (table,
session, key) is authenticated with it, so a token copied to another row does not open there. The keys
come from `SWITCHROOM_SECRET_KEYS` and are never written anywhere by this program.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import CannotOpen, StartupError, Unsupported

TEMPORARY: Final = "temporary"
"""`SWITCHROOM_SECRET_KEYS=temporary`: a ring that goes with the process, as the demo uses."""

MAKE_ONE: Final = "switchroom keys new"

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_VERSION: Final = "v1"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_MEMORY_ID: Final = "memory"


class _Key(NamedTuple):
    id: str
    cipher: AESGCM


class KeyRing:
    """Named keys, the first of which seals; all of them open."""

    def __init__(self, keys: list[tuple[str, bytes]], *, keeps_values: bool) -> None:
        """Args:
        keys: Id and 32 bytes each, the newest first.
        keeps_values: Whether stored values may be sealed, or only what is read back while this process lives.
        """
        self._keys = [_Key(key_id, AESGCM(key)) for key_id, key in keys]
        self.keeps_values = keeps_values
        self.refused = 0
        """Secrets that were not stored because no key outlives them."""

    @classmethod
    def of(cls, setting: str | None) -> Self:
        """Return the ring of a setting: `id:base64`, several with commas between them.

        Without a setting it is a key of this process alone, which seals answers that a client may resume.

        Raises:
            StartupError: The setting is malformed; the message never has a key in it.
        """
        text = (setting or "").strip()
        if not text or text == TEMPORARY:
            return cls([(_MEMORY_ID, os.urandom(_KEY_BYTES))], keeps_values=bool(text))
        keys = [_parse(number, entry) for number, entry in enumerate(text.split(","), 1)]
        ids = [key_id for key_id, _ in keys]
        if len(set(ids)) < len(ids):
            raise StartupError("SWITCHROOM_SECRET_KEYS names two keys alike: give each one an id of its own.")
        return cls(keys, keeps_values=True)

    @property
    def newest(self) -> str:
        """Id of the key that seals."""
        return self._keys[0].id

    @property
    def is_lasting(self) -> bool:
        """Whether what is sealed now can be opened after a restart."""
        return self.newest != _MEMORY_ID

    @property
    def ids(self) -> list[str]:
        """Ids of all keys, the one that seals first."""
        return [key.id for key in self._keys]

    def check_keeps_values(self) -> None:
        """Refuse to seal a stored value without a key that outlives it.

        Raises:
            Unsupported: With the command that makes a key.
        """
        if not self.keeps_values:
            self.refused += 1
            raise Unsupported(
                f"secret=True needs a key: run `{MAKE_ONE}`, set SWITCHROOM_SECRET_KEYS to what it prints, "
                "and start the server again."
            )

    def seal(self, text: str, *about: str) -> str:
        """Return `text` as a token that opens only together with the same `about`."""
        key, nonce = self._keys[0], os.urandom(_NONCE_BYTES)
        sealed = key.cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), _associated(about))
        return f"{_VERSION}.{key.id}.{base64.urlsafe_b64encode(nonce + sealed).decode('ascii').rstrip('=')}"

    def open(self, token: str, *about: str) -> str:
        """Return the text of a token.

        Raises:
            CannotOpen: Whatever is wrong with it; the message is always the same.
        """
        version, _, rest = token.partition(".")
        key_id, _, body = rest.partition(".")
        key = next((key for key in self._keys if key.id == key_id), None)
        if version != _VERSION or key is None:
            raise CannotOpen
        try:
            raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
            text = key.cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _associated(about))
            return text.decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError, binascii.Error):
            raise CannotOpen from None


def value_about(session_id: str, name: str) -> tuple[str, str, str]:
    """Return what the secret of a stored key is about."""
    return "kv", session_id, name


def event_about(session_id: str, seq: int) -> tuple[str, str, str]:
    """Return what the sealed part of an event is about."""
    return "event", session_id, str(seq)


def make_key(key_id: str) -> str:
    """Return a new key as `SWITCHROOM_SECRET_KEYS` takes it.

    Raises:
        StartupError: The id is empty, too long, or has other characters than letters, digits, `_` and `-`.
    """
    _check_id(key_id)
    return f"{key_id}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode('ascii')}"


def _parse(number: int, entry: str) -> tuple[str, bytes]:
    key_id, separator, text = entry.strip().partition(":")
    place = f"Key {number} of SWITCHROOM_SECRET_KEYS"
    if not separator:
        raise StartupError(f"{place} has no id: write id:base64, as `{MAKE_ONE}` prints it.")
    _check_id(key_id)
    try:
        key = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != _KEY_BYTES:
        raise StartupError(f"{place} is not 32 bytes in base64: make one with `{MAKE_ONE}`.")
    return key_id, key


def _check_id(key_id: str) -> None:
    if _ID.fullmatch(key_id) is None or key_id == _MEMORY_ID:
        raise StartupError("A key's id has 1 to 32 letters, digits, _ or -, and is not `memory`: for example k2.")


def _associated(about: tuple[str, ...]) -> bytes:
    """Return the parts with their lengths before them, so that no two lists of parts look the same."""
    parts = [part.encode("utf-8", "surrogatepass") for part in about]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
