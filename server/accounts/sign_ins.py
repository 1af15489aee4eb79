"""Sign-ins of operators' browsers: opaque random secrets with an idle and an absolute limit."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from typing import Final

from ..errors import NotFound
from ..models import Role
from .database import AccountsDatabase
from .models import OpenSignIn, SignIn, digest

IDLE_SECONDS: Final = 30 * 60.0
ABSOLUTE_SECONDS: Final = 12 * 3600.0

_SEEN_SECONDS: Final = 5.0
"""Activity is written at most once in this time: the idle limit is exact to that."""

_KEEP_SECONDS: Final = 30 * 24 * 3600.0
"""Ended sign-ins are kept this long, because they tell from which addresses an operator has signed in."""

_BACKWARDS_SECONDS: Final = 60.0
"""A clock that was set back by more than this makes a sign-in invalid instead of longer."""

_MAX_SECRET_LENGTH: Final = 64

_FIND: Final = """
    SELECT operator.name, operator.role, sign_in.created, sign_in.seen
    FROM sign_in JOIN operator ON operator.name = sign_in.operator
    WHERE sign_in.hash = ? AND sign_in.ended IS NULL AND operator.disabled IS NULL
"""


_OPEN: Final = """
    SELECT sign_in.hash, operator.name, operator.role, sign_in.address, sign_in.created, sign_in.seen
    FROM sign_in JOIN operator ON operator.name = sign_in.operator
    WHERE sign_in.ended IS NULL AND operator.disabled IS NULL ORDER BY sign_in.seen DESC LIMIT 1000
"""

_ID_LENGTH: Final = 16


class SignIns:
    """Sign-ins by secret; only the secret's SHA-256 is stored."""

    def __init__(self, database: AccountsDatabase, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, operator: str, address: str) -> str:
        """Record a sign-in and return its new secret (43 characters of URL-safe base64)."""
        secret = secrets.token_urlsafe(32)
        now = self._clock()

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM sign_in WHERE created < ?", (now - _KEEP_SECONDS,))
            connection.execute(
                "INSERT INTO sign_in (hash, operator, address, created, seen) VALUES (?, ?, ?, ?, ?)",
                (digest(secret), operator, address, now, now),
            )
            connection.execute("UPDATE operator SET last_sign_in = ? WHERE name = ?", (now, operator))

        await self._database.write(insert)
        return secret

    async def find(self, secret: str, *, touch: bool) -> SignIn | None:
        """Return the sign-in while it is valid, else `None`.

        Args:
            touch: Whether this request is the operator's own act; streams and polling are not.
        """
        if not secret or len(secret) > _MAX_SECRET_LENGTH:
            return None
        key = digest(secret)
        row: tuple[str, str, float, float] | None = await self._database.read(
            lambda c: c.execute(_FIND, (key,)).fetchone()
        )
        now = self._clock()
        if row is None or not _is_valid(row[2], row[3], now):
            return None
        operator, role, created, seen = row
        if touch and now - seen >= _SEEN_SECONDS:
            seen = now
            await self._database.write(lambda c: c.execute("UPDATE sign_in SET seen = ? WHERE hash = ?", (now, key)))
        return SignIn(operator, Role(role), created, seen, min(created + ABSOLUTE_SECONDS, seen + IDLE_SECONDS))

    async def open(self) -> list[OpenSignIn]:
        """Return the sign-ins that are valid now, the last seen first."""
        rows = await self._database.read(lambda c: c.execute(_OPEN).fetchall())
        now = self._clock()
        return [
            OpenSignIn(
                bytes(key).hex()[:_ID_LENGTH],
                operator,
                Role(role),
                address,
                created,
                seen,
                min(created + ABSOLUTE_SECONDS, seen + IDLE_SECONDS),
            )
            for key, operator, role, address, created, seen in rows
            if _is_valid(created, seen, now)
        ]

    async def end_by_id(self, sign_in_id: str) -> OpenSignIn:
        """End the sign-in that `open` lists under this id.

        Raises:
            NotFound: It has ended already, or never was.
        """
        found = next((each for each in await self.open() if each.id == sign_in_id), None)
        if found is None:
            raise NotFound("This sign-in has ended already.")
        await self._end("hex(hash) LIKE ?", f"{sign_in_id}%")
        return found

    @staticmethod
    def id_of(secret: str) -> str:
        """Return the id of the sign-in with that secret."""
        return digest(secret).hex()[:_ID_LENGTH]

    async def end(self, secret: str) -> None:
        """End one sign-in. Idempotent."""
        await self._end("hash = ?", digest(secret))

    async def is_known_address(self, operator: str, address: str) -> bool:
        """Whether the operator has signed in from this address in the last 30 days."""
        row = await self._database.read(
            lambda c: c.execute(
                "SELECT 1 FROM sign_in WHERE operator = ? AND address = ? LIMIT 1", (operator, address)
            ).fetchone()
        )
        return row is not None

    async def _end(self, where: str, value: bytes | str) -> None:
        now = self._clock()
        await self._database.write(
            lambda c: c.execute(f"UPDATE sign_in SET ended = ? WHERE ended IS NULL AND {where}", (now, value))
        )


def _is_valid(created: float, seen: float, now: float) -> bool:
    if now < created - _BACKWARDS_SECONDS:
        return False
    return now < created + ABSOLUTE_SECONDS and now < seen + IDLE_SECONDS
