"""Users with passwords that cost little to check."""

from __future__ import annotations

from pathlib import Path

from argon2 import PasswordHasher

from switchroom.server.accounts import Passwords
from switchroom.server.sign_in import UsersFile

PASSWORD = "correct horse battery"


def cheap_passwords() -> Passwords:
    """Return hashing that takes no time; what a hash was made with is read from it."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def users_file(folder: Path) -> UsersFile:
    """Return the users of a folder; none at first."""
    return UsersFile(folder / "users.json", passwords=cheap_passwords())


async def with_ana(folder: Path) -> UsersFile:
    """Return users of which `ana` is the only one."""
    users = users_file(folder)
    await users.add("ana", PASSWORD)
    return users
