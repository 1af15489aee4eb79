"""Saved views of the sessions list: an address's query under a name, of one operator, shared or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Final

from ..errors import InvalidInput, LimitReached, NotFound
from ..ids import new_reference
from .database import AccountsDatabase
from .models import SavedView

MAX_TITLE: Final = 60
MAX_QUERY: Final = 3_000
MAX_VIEWS: Final = 100
"""Views of one operator."""

_COLUMNS: Final = "id, owner, title, query, is_shared, created"


class SavedViews:
    """Creates, renames and deletes views; an operator changes only their own."""

    def __init__(self, database: AccountsDatabase, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def visible_to(self, owner: str) -> list[SavedView]:
        """Return an operator's own views, then what others share, each by title."""
        statement = f"SELECT {_COLUMNS} FROM view WHERE owner = :owner OR is_shared ORDER BY owner <> :owner, title, id"
        rows = await self._database.read(lambda connection: connection.execute(statement, {"owner": owner}).fetchall())
        return [_view(row) for row in rows]

    async def save(self, owner: str, title: str, query: str, *, is_shared: bool) -> SavedView:
        """Keep a view; one of the same operator and title is replaced.

        Raises:
            InvalidInput: The title is empty or too long, or the query is too long.
            LimitReached: The operator has 100 views.
        """
        name = _check_title(title)
        if len(query) > MAX_QUERY:
            raise InvalidInput("This list's address is too long to be kept.", field="query")

        def change(connection: sqlite3.Connection) -> tuple[Any, ...]:
            (count,) = connection.execute("SELECT count(*) FROM view WHERE owner = ?", (owner,)).fetchone()
            known = connection.execute("SELECT id FROM view WHERE owner = ? AND title = ?", (owner, name)).fetchone()
            if known is None and count >= MAX_VIEWS:
                raise LimitReached(f"{owner} has {MAX_VIEWS} saved views; delete one first.")
            row = (known[0] if known else new_reference(), owner, name, query, int(is_shared), self._clock())
            connection.execute(f"INSERT OR REPLACE INTO view ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row)
            return row

        return _view(await self._database.write(change))

    async def update(self, owner: str, view_id: str, *, title: str, is_shared: bool) -> None:
        """Rename a view, and share it or not.

        Raises:
            InvalidInput: The title is empty, too long, or that of another view of the same operator.
            NotFound: The operator has no such view.
        """
        name = _check_title(title)

        def change(connection: sqlite3.Connection) -> int:
            taken = connection.execute(
                "SELECT 1 FROM view WHERE owner = ? AND title = ? AND id <> ?", (owner, name, view_id)
            ).fetchone()
            if taken is not None:
                raise InvalidInput(f"You have another view named {name!r}.", field="title")
            return connection.execute(
                "UPDATE view SET title = ?, is_shared = ? WHERE id = ? AND owner = ?",
                (name, int(is_shared), view_id, owner),
            ).rowcount

        _check_found(await self._database.write(change))

    async def delete(self, owner: str, view_id: str) -> None:
        """Forget a view.

        Raises:
            NotFound: The operator has no such view.
        """
        _check_found(
            await self._database.write(
                lambda connection: (
                    connection.execute("DELETE FROM view WHERE id = ? AND owner = ?", (view_id, owner)).rowcount
                )
            )
        )


def _check_title(title: str) -> str:
    name = " ".join(title.split())
    if not name:
        raise InvalidInput("Give the view a name.", field="title")
    if len(name) > MAX_TITLE:
        raise InvalidInput(f"A view's name may have {MAX_TITLE} characters; this has {len(name)}.", field="title")
    return name


def _check_found(changed: int) -> None:
    if not changed:
        raise NotFound("You have no such view; one that others share is changed by its owner.")


def _view(row: tuple[Any, ...]) -> SavedView:
    view_id, owner, title, query, is_shared, created = row
    return SavedView(view_id, owner, title, query, bool(is_shared), created)
