"""How commands work on the accounts file, and leave word of it for the audit log."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from ...server.accounts import Accounts, open_accounts
from ...server.errors import StartupError, StoreUnavailable, SwitchroomError
from .serve import load_settings

try:
    import pwd
except ImportError:  # Windows has no such table
    pwd = None  # type: ignore[assignment]

T = TypeVar("T")


def change(
    db: str | None,
    action: str,
    target: str,
    work: Callable[[Accounts], Awaitable[T]],
    detail: Callable[[T], Mapping[str, object]] = lambda _: {},
) -> T:
    """Change something, and leave for the audit log who did it and what came of it."""

    async def noted(accounts: Accounts) -> T:
        number = await accounts.notes.begin(_system_user(), action, target[:64])
        outcome, facts = "failed", dict[str, object]()
        try:
            result = await work(accounts)
            outcome, facts = "done", dict(detail(result))
            return result
        except SwitchroomError as error:
            facts = {"error": error.message, "code": error.code}
            raise
        finally:
            # It has happened, and is shown; the entry then says that its outcome is not known.
            with suppress(StoreUnavailable):
                await accounts.notes.finish(number, outcome, facts)

    return on_accounts(db, noted)


def _system_user() -> str:
    """Return the name of whoever the system says runs this process; the environment is not asked."""
    if pwd is None:
        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def on_accounts(db: str | None, work: Callable[[Accounts], Awaitable[T]]) -> T:
    """Return what `work` makes of the accounts that belong to a database.

    Raises:
        StartupError: They cannot be used.
    """
    accounts = open_accounts(load_settings(db=db).db)
    if accounts.path is None:
        raise StartupError("A database in memory has no accounts file: use --db sqlite:///path, as the server does.")

    async def opened() -> T:
        await accounts.open()
        try:
            return await work(accounts)
        finally:
            await accounts.close()

    return asyncio.run(opened())
