"""Access tokens of the attacked server's authorisation server, and forged ones."""

from __future__ import annotations

import time
from typing import Any

import jwt

from tests.security.target import ISSUER, RESOURCE, SIGNING_KEY


def signed_token(subject: str, *, key: str = SIGNING_KEY, seconds: float = 3600, **claims: Any) -> str:
    """Return a token that the server takes, unless `claims`, `key` or `seconds` spoil it."""
    now = int(time.time())
    given = {
        "iss": ISSUER,
        "aud": RESOURCE,
        "sub": subject,
        "client_id": "attack",
        "scope": "use",
        "iat": now - 10,
        "exp": now + int(seconds),
        **claims,
    }
    return jwt.encode({name: value for name, value in given.items() if value is not None}, key, algorithm="HS256")


def unsigned_token(subject: str) -> str:
    """Return a token whose head says `alg: none`."""
    claims = jwt.decode(signed_token(subject), options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none")
