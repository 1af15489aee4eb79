"""One-time sign-in links: for the first sign-in of a server, and for operators without a password."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from typing import Final

from .database import AccountsDatabase
from .models import digest

LINK_SECONDS: Final = 600.0


class Links:
    """Links by secret; each signs in once, within ten minutes."""

    def __init__(self, database: AccountsDatabase, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def create(self, operator: str) -> str:
        """Return the secret of a new link for `operator`; earlier links of that operator stop working."""
        secret = secrets.token_urlsafe(32)
        expires = self._clock() + LINK_SECONDS

        def replace(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM link WHERE operator = ?", (operator,))
            connection.execute(
                "INSERT INTO link (hash, operator, expires) VALUES (?, ?, ?)", (digest(secret), operator, expires)
            )

        await self._database.write(replace)
        return secret

    async def operator_of(self, secret: str) -> str | None:
        """Return whom `consume` would name now, or `None` when it would not succeed. Changes nothing."""
        row = await self._database.read(
            lambda c: c.execute("SELECT operator, expires FROM link WHERE hash = ?", (digest(secret),)).fetchone()
        )
        return row[0] if row is not None and self._clock() < row[1] else None

    async def consume(self, secret: str) -> str | None:
        """Use the link up and return its operator's name; `None` when it was used, replaced or is too old."""
        now = self._clock()

        def take(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(
                "DELETE FROM link WHERE hash = ? RETURNING operator, expires", (digest(secret),)
            ).fetchone()
            return row[0] if row is not None and now < row[1] else None

        operator = await self._database.write(take)
        return operator
