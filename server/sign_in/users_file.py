"""Users in a file of argon2id hashes, which `switchroom users` manages while the server runs or not."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from ..accounts import Passwords
from ..data.values import check_text
from ..errors import Conflict, InvalidInput, NotFound, StartupError

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


class UsersFile:
    """A `UserVerifier`. The file is read again whenever it has changed; without one nobody can sign in."""

    def __init__(self, path: Path, *, passwords: Passwords | None = None) -> None:
        self.path = path
        self._passwords = passwords or Passwords()
        self._read_as: tuple[int, int, int] | None = None
        self._hashes: dict[str, str] = {}

    # -- what a sign-in asks -------------------------------------------------------------------

    async def verify(self, username: str, password: str) -> str | None:
        """Return the user's name, or `None`; one hash is checked either way, so time tells nothing about names."""
        name, encoded = self._find(username)
        verified = await self._passwords.verify(encoded, password)
        return name if verified.is_match else None

    async def stamp(self, username: str) -> str | None:
        """Return a text that changes with the user's password."""
        _, encoded = self._find(username)
        return hashlib.sha256(encoded.encode()).hexdigest()[:16] if encoded is not None else None

    # -- what the command line does ------------------------------------------------------------

    def names(self) -> list[str]:
        """Return every user's name, sorted."""
        return sorted(self._users())

    async def add(self, name: str, password: str) -> None:
        """Add a user.

        Raises:
            InvalidInput: The name or the password cannot be used; the message says what can.
            Conflict: The name is taken.
        """
        if not _NAME.fullmatch(name):
            raise InvalidInput("A user's name is 1 to 64 letters, digits and . _ @ + -, beginning with neither.")
        check_text(password, "The password")
        encoded = await self._passwords.hash(password)
        with self._changing() as users:
            if _same(users, name) is not None:
                raise Conflict(f"There is a user {name} already: give a new password with switchroom users password.")
            users[name] = encoded

    async def set_password(self, name: str, password: str) -> None:
        """Give a user a new password, which ends every sign-in made with the old one.

        Raises:
            InvalidInput: The password is too short, too long or has control characters.
            NotFound: There is no such user.
        """
        check_text(password, "The password")
        encoded = await self._passwords.hash(password)
        with self._changing() as users:
            users[_known(users, name)] = encoded

    def remove(self, name: str) -> None:
        """Remove a user, which ends every sign-in of theirs; raises `NotFound` when there is no such user."""
        with self._changing() as users:
            del users[_known(users, name)]

    # -- the file ------------------------------------------------------------------------------

    def _find(self, username: str) -> tuple[str | None, str | None]:
        users = self._users()
        name = _same(users, username)
        return name, users[name] if name is not None else None

    def _users(self) -> dict[str, str]:
        """Return the hashes by name.

        Raises:
            StartupError: The file is there and cannot be used.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._read_as, self._hashes = None, {}
            return self._hashes
        except OSError as error:
            raise self._unusable(error.strerror) from error
        read_as = (found.st_mtime_ns, found.st_size, found.st_ino)
        if read_as != self._read_as:
            self._hashes, self._read_as = self._load(), read_as
        return self._hashes

    def _load(self) -> dict[str, str]:
        try:
            content: Any = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise self._unusable(str(error)) from error
        users = cast("dict[str, Any]", content).get("users") if isinstance(content, dict) else None
        if not isinstance(users, dict) or not all(
            isinstance(each, str) for each in cast("dict[str, Any]", users).values()
        ):
            raise self._unusable('it has no "users" with a hash for each name')
        return cast("dict[str, str]", users)

    def _unusable(self, why: str | None) -> StartupError:
        return StartupError(f"The users file {self.path} cannot be used ({why}): mend it, or name another one.")

    @contextmanager
    def _changing(self) -> Generator[dict[str, str]]:
        """Give the users to change, alone, and put them in place whole; readers never see half a file."""
        try:
            lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise self._unusable(error.strerror) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            users = dict(self._users())
            yield users
            self._replace(json.dumps({"users": users}, indent=2) + "\n")
        finally:
            os.close(lock)

    def _replace(self, text: str) -> None:
        new = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        try:
            descriptor = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            new.replace(self.path)
        except OSError as error:
            raise self._unusable(error.strerror) from error


def _same(users: dict[str, str], name: str) -> str | None:
    """Return a name as it is kept; names are compared without regard to case."""
    folded = name.casefold()
    return next((known for known in users if known.casefold() == folded), None)


def _known(users: dict[str, str], name: str) -> str:
    found = _same(users, name)
    if found is None:
        raise NotFound(f"There is no user {name}.")
    return found
