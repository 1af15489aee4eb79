"""The accounts as one object, and where their file is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..errors import StartupError
from .database import AccountsDatabase
from .links import Links
from .notes import Notes
from .operators import Operators
from .passwords import Passwords
from .sign_ins import SignIns
from .tokens import Tokens
from .views import SavedViews

_SQLITE: Final = "sqlite:///"


class Accounts:
    """Operators, tokens, sign-ins, links, saved views, entries for the audit log. Open before use, close after."""

    def __init__(
        self,
        path: Path | None,
        *,
        passwords: Passwords | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Args:
        path: The accounts file; `None` keeps them in memory, for this process alone.
        clock: Unix seconds; tests give their own.
        """
        self._database = AccountsDatabase(path)
        self.path = path
        self.operators = Operators(self._database, passwords or Passwords(), clock)
        self.tokens = Tokens(self._database, clock)
        self.sign_ins = SignIns(self._database, clock)
        self.links = Links(self._database, clock)
        self.views = SavedViews(self._database, clock)
        self.notes = Notes(self._database, clock)

    async def open(self) -> None:
        """Open the file, making it when absent. Idempotent.

        Raises:
            StartupError: It cannot be used; the message says why.
        """
        await self._database.open()

    async def close(self) -> None:
        """Release the file. Idempotent."""
        await self._database.close()


def open_accounts(db: str) -> Accounts:
    """Return the accounts that belong to the event store `db`, not opened yet.

    Raises:
        StartupError: `db` is neither `sqlite:///path` nor `memory:`.
    """
    return Accounts(accounts_path(db))


def accounts_path(db: str) -> Path | None:
    """Return the accounts file beside the event file: `switchroom.db` has `switchroom.accounts.db`.

    Returns:
        `None` for `memory:`.

    Raises:
        StartupError: `db` is neither `sqlite:///path` nor `memory:`.
    """
    if db == "memory:":
        return None
    if not db.startswith(_SQLITE) or len(db) == len(_SQLITE):
        raise StartupError(f"The database {db!r} is not known: use sqlite:///path or memory:.")
    path = Path(db.removeprefix(_SQLITE))
    return path.with_name(f"{path.stem}.accounts{path.suffix or '.db'}")
