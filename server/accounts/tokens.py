"""API tokens: `sr_` and 32 random bytes, of which only the SHA-256 is kept."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from typing import Final

from ..errors import Conflict, InvalidInput, NotFound
from ..models import Role
from .database import AccountsDatabase
from .models import ApiToken, digest

TOKEN_PREFIX: Final = "sr_"
MAX_TOKEN_LENGTH: Final = 128

_USE_SECONDS: Final = 60.0
"""`last_used_at` is written at most once in this time, so that a busy script costs no write per call."""

_COLUMNS: Final = "id, name, role, created, expires, last_used, revoked"

_Row = tuple[str, str, str, float, float | None, float | None, float | None]


class Tokens:
    """API tokens. Names need not be unique; ids are."""

    def __init__(self, database: AccountsDatabase, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def create(self, name: str, role: Role, *, expires_in: float | None = None) -> tuple[str, ApiToken]:
        """Make a token and return its secret, which cannot be shown again, with the stored row.

        Raises:
            InvalidInput: The name is not 1 to 64 printable characters, or `expires_in` is not positive.
        """
        if not 1 <= len(name) <= 64 or not name.isprintable() or not name.strip():
            raise InvalidInput("A token's name is 1 to 64 printable characters.")
        if expires_in is not None and expires_in <= 0:
            raise InvalidInput("A token's time must be positive.")
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        now = self._clock()
        token = ApiToken(
            secrets.token_hex(4), name, role, now, None if expires_in is None else now + expires_in, None, None
        )
        await self._database.write(
            lambda c: c.execute(
                "INSERT INTO token (id, hash, name, role, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
                (token.id, digest(secret), name, role.value, now, token.expires_at),
            )
        )
        return secret, token

    async def all(self) -> list[ApiToken]:
        """Return every token, revoked and expired ones included, oldest first."""
        return await self._select("ORDER BY created, id")

    async def revoke(self, id_or_name: str) -> ApiToken:
        """Make a token invalid at once.

        Raises:
            NotFound: No valid token has that id or name.
            Conflict: Several have that name; the message lists their ids.
        """
        now = self._clock()
        matches = [t for t in await self._select("WHERE id = ?1 OR name = ?1", id_or_name) if t.is_valid(now)]
        exact = [token for token in matches if token.id == id_or_name] or matches
        if not exact:
            raise NotFound(f"There is no valid token {id_or_name}.")
        if len(exact) > 1:
            raise Conflict(
                f"Several tokens are named {id_or_name}; name one by its id: {', '.join(t.id for t in exact)}."
            )
        token = exact[0]._replace(revoked_at=now)
        await self._database.write(lambda c: c.execute("UPDATE token SET revoked = ? WHERE id = ?", (now, token.id)))
        return token

    async def find(self, secret: str, *, touch: bool = True) -> ApiToken | None:
        """Return the valid token with this secret, or `None`; `touch` notes its use."""
        if not secret.startswith(TOKEN_PREFIX) or len(secret) > MAX_TOKEN_LENGTH:
            return None
        rows = await self._select("WHERE hash = ?", digest(secret))
        now = self._clock()
        if not rows or not rows[0].is_valid(now):
            return None
        token = rows[0]
        if touch and (token.last_used_at is None or now - token.last_used_at >= _USE_SECONDS):
            await self._database.write(lambda c: _note_use(c, token.id, now))
        return token

    async def _select(self, where: str, *values: object) -> list[ApiToken]:
        rows: list[_Row] = await self._database.read(
            lambda c: c.execute(f"SELECT {_COLUMNS} FROM token {where}", values).fetchall()
        )
        return [ApiToken(row[0], row[1], Role(row[2]), *row[3:]) for row in rows]


def _note_use(connection: sqlite3.Connection, token_id: str, now: float) -> None:
    connection.execute("UPDATE token SET last_used = ? WHERE id = ?", (now, token_id))
