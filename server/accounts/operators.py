"""The people who may sign in."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Final, NamedTuple

from ..errors import Conflict, InvalidInput, NotFound
from ..models import Role
from .database import AccountsDatabase
from .models import Operator
from .passwords import Passwords

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")

_COLUMNS: Final = "name, role, password IS NOT NULL, disabled IS NOT NULL, created, last_sign_in"

_Row = tuple[str, str, int, int, float, float | None]


class Authenticated(NamedTuple):
    """The outcome of a name and a password."""

    is_known: bool
    """Whether the name belongs to an operator; for the audit log only, never for an answer."""
    operator: Operator | None
    """The operator, or `None` when the name is unknown, disabled or the password is wrong."""


class Operators:
    """Operators by name. Names are compared without regard to case."""

    def __init__(self, database: AccountsDatabase, passwords: Passwords, clock: Callable[[], float]) -> None:
        self._database = database
        self._passwords = passwords
        self._clock = clock

    async def add(self, name: str, role: Role, password: str | None = None) -> Operator:
        """Add an operator; without a password only a one-time link signs in.

        Raises:
            InvalidInput: The name is not 1 to 64 letters, digits and `._@+-`, or the password is too short.
            Conflict: The name is taken.
        """
        if not _NAME.fullmatch(name):
            raise InvalidInput("An operator's name is 1 to 64 letters, digits and . _ @ + -, beginning with neither.")
        encoded = None if password is None else await self._passwords.hash(password)

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO operator (name, role, password, created) VALUES (?, ?, ?, ?)",
                (name, role.value, encoded, self._clock()),
            )

        try:
            await self._database.write(insert)
        except sqlite3.IntegrityError as error:
            raise Conflict(f"There is an operator {name} already.") from error
        return await self.named(name)

    async def get(self, name: str) -> Operator | None:
        rows = await self._select("WHERE name = ?", _plain(name))
        return rows[0] if rows else None

    async def named(self, name: str) -> Operator:
        """Return the operator, or raise `NotFound`."""
        operator = await self.get(name)
        if operator is None:
            raise NotFound(f"There is no operator {name}.")
        return operator

    async def all(self) -> list[Operator]:
        """Return everybody, disabled operators included, by name."""
        return await self._select("ORDER BY name")

    async def set_password(self, name: str, password: str) -> Operator:
        """Set a new password and end the operator's sign-ins.

        Raises:
            NotFound: There is no such operator.
            InvalidInput: The password is too short or too long.
        """
        operator = await self.named(name)
        encoded = await self._passwords.hash(password)
        await self._database.write(lambda c: self._store_password(c, operator.name, encoded))
        return await self.named(name)

    async def set_role(self, name: str, role: Role) -> Operator:
        """Give an operator another role, which holds at once for every sign-in.

        Raises:
            NotFound: There is no such operator.
            Conflict: Nobody else could manage operators any more.
        """
        operator = await self.named(name)

        def change(connection: sqlite3.Connection) -> None:
            if role is not Role.ADMIN:
                _keep_an_admin(connection, operator.name)
            connection.execute("UPDATE operator SET role = ? WHERE name = ?", (role.value, operator.name))

        await self._database.write(change)
        return await self.named(name)

    async def set_disabled(self, name: str, is_disabled: bool) -> Operator:
        """Disable an operator, which ends every sign-in, or enable one again.

        Raises:
            NotFound: There is no such operator.
            Conflict: Nobody else could manage operators any more.
        """
        operator = await self.named(name)
        now = self._clock()

        def change(connection: sqlite3.Connection) -> None:
            if is_disabled:
                _keep_an_admin(connection, operator.name)
            connection.execute(
                "UPDATE operator SET disabled = ? WHERE name = ?", (now if is_disabled else None, operator.name)
            )
            if is_disabled:
                _end_access(connection, operator.name, now)

        await self._database.write(change)
        return await self.named(name)

    async def authenticate(self, name: str, password: str) -> Authenticated:
        """Check a name and a password. One hash is verified either way, so time tells nothing about names."""
        row = await self._database.read(
            lambda c: c.execute(
                "SELECT name, password, disabled FROM operator WHERE name = ?", (_plain(name),)
            ).fetchone()
        )
        known, encoded, disabled = row or (None, None, None)
        verified = await self._passwords.verify(encoded, password)
        if known is None or disabled is not None or not verified.is_match:
            return Authenticated(known is not None, None)
        rehashed = verified.rehashed
        if rehashed is not None:
            # Only while it is still the hash that was checked: the password may have been changed meanwhile.
            await self._database.write(
                lambda c: c.execute(
                    "UPDATE operator SET password = ? WHERE name = ? AND password = ?", (rehashed, known, encoded)
                )
            )
        return Authenticated(True, await self.get(known))

    async def is_password(self, name: str, password: str) -> bool:
        """Whether this is the operator's password, disabled or not."""
        row = await self._database.read(
            lambda c: c.execute("SELECT password FROM operator WHERE name = ?", (_plain(name),)).fetchone()
        )
        return (await self._passwords.verify(row[0] if row else None, password)).is_match

    async def _select(self, where: str, *values: object) -> list[Operator]:
        rows: list[_Row] = await self._database.read(
            lambda c: c.execute(f"SELECT {_COLUMNS} FROM operator {where}", values).fetchall()
        )
        return [
            Operator(name, Role(role), bool(has_password), bool(is_disabled), created, last_sign_in)
            for name, role, has_password, is_disabled, created, last_sign_in in rows
        ]

    def _store_password(self, connection: sqlite3.Connection, name: str, encoded: str) -> None:
        connection.execute("UPDATE operator SET password = ? WHERE name = ?", (encoded, name))
        _end_access(connection, name, self._clock())


def _keep_an_admin(connection: sqlite3.Connection, name: str) -> None:
    """Refuse to take away the last admin, or the last one who can sign in without a link."""
    rows = connection.execute(
        "SELECT name = ?, password IS NOT NULL FROM operator WHERE role = 'admin' AND disabled IS NULL", (name,)
    ).fetchall()
    own = [has_password for is_own, has_password in rows if is_own]
    others = [has_password for is_own, has_password in rows if not is_own]
    if own and not (any(others) or (others and not own[0])):
        raise Conflict(f"{name} is the last admin who can sign in: make another one first.")


def _end_access(connection: sqlite3.Connection, name: str, now: float) -> None:
    connection.execute("UPDATE sign_in SET ended = ? WHERE operator = ? AND ended IS NULL", (now, name))
    connection.execute("DELETE FROM link WHERE operator = ?", (name,))


def _plain(name: str) -> str:
    # SQLite takes neither lone surrogates nor more than a sane length here; no operator has such a name.
    return name if _NAME.fullmatch(name) else ""
