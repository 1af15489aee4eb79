"""What the command line changed, until the server that owns the audit log has written it there.

The event file belongs to one process and the command line is another one, so its entries wait in the accounts
file. The entry is made before the change, and says afterwards what came of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from .database import AccountsDatabase

STARTED: Final = "started"

_LOST_SECONDS: Final = 60.0
"""A command that has not said its outcome by then was killed."""

_AT_ONCE: Final = 100


class Note(NamedTuple):
    """One change, by somebody who could write to the accounts file."""

    id: int
    at: float
    actor: str
    action: str
    target: str
    outcome: str
    """As in the audit log; `started` of a command that did not say."""
    detail: dict[str, object]


class Notes:
    """Entries on their way to the audit log, oldest first."""

    def __init__(self, database: AccountsDatabase, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, actor: str, action: str, target: str) -> int:
        """Write down what is meant, and return the entry's number."""
        values = (self._clock(), actor, action, target, STARTED)

        def insert(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "INSERT INTO note (at, actor, action, target, outcome) VALUES (?, ?, ?, ?, ?)", values
            )
            return int(cursor.lastrowid or 0)

        return await self._database.write(insert)

    async def finish(self, number: int, outcome: str, detail: Mapping[str, object]) -> None:
        """Write down what came of it; from then on it may go to the audit log."""
        values = (outcome, json.dumps(dict(detail)), number)
        await self._database.write(lambda c: c.execute("UPDATE note SET outcome = ?, detail = ? WHERE id = ?", values))

    async def ready(self) -> list[Note]:
        """Return the oldest entries whose outcome is known, or never will be."""
        before = self._clock() - _LOST_SECONDS
        rows = await self._database.read(
            lambda c: c.execute(
                "SELECT id, at, actor, action, target, outcome, detail FROM note "
                "WHERE outcome != ? OR at < ? ORDER BY id LIMIT ?",
                (STARTED, before, _AT_ONCE),
            ).fetchall()
        )
        return [
            Note(number, at, actor, action, target, outcome, json.loads(detail))
            for number, at, actor, action, target, outcome, detail in rows
        ]

    async def drop(self, number: int) -> None:
        """Forget an entry that is in the audit log."""
        await self._database.write(lambda c: c.execute("DELETE FROM note WHERE id = ?", (number,)))
