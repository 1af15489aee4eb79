"""What the address of the sessions list asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import Depends, Query

from ..contexts.columns import SORT_KEYS, parse_columns, spell_columns
from ..contexts.filterbar import Asked
from ..contexts.paging import PAGE_SIZES, Position, parse_position
from ..urls import Urls

DEFAULT_SORT: Final = "-last_seen"
DEFAULT_SIZE: Final = 50

_START: Final = Position()


class SessionQuery:
    """What the list's address asks for, defaults filled in."""

    def __init__(
        self,
        q: str = "",
        add: str = "",
        sort: str = DEFAULT_SORT,
        size: int = DEFAULT_SIZE,
        position: Position = _START,
        columns: Iterable[str] = (),
        density: str = "",
        is_finished: bool = False,
    ) -> None:
        self.asked = Asked(q, add, is_finished=is_finished)
        self.columns = parse_columns(columns)
        self.is_compact = density == "compact"
        self.sort = sort if sort.lstrip("-") in SORT_KEYS else DEFAULT_SORT
        self.size = size if size in PAGE_SIZES else DEFAULT_SIZE
        self.position = position

    @property
    def q(self) -> str:
        return self.asked.filter.text

    @property
    def sort_value(self) -> str:
        return "" if self.sort == DEFAULT_SORT else self.sort

    @property
    def size_value(self) -> str:
        return "" if self.size == DEFAULT_SIZE else str(self.size)

    @property
    def kept(self) -> dict[str, str]:
        """What an address of the list says beside its filter and its position."""
        return {
            "sort": self.sort_value,
            "size": self.size_value,
            "cols": spell_columns(self.columns),
            "density": "compact" if self.is_compact else "",
        }

    def address(self, urls: Urls, q: str, position: Position = _START, **other: str) -> str:
        """Return the list's address in this request's order and size, unless `other` says otherwise."""
        query = {**self.kept, **other}
        return urls.sessions(
            q, after=position.after, trail=" ".join(position.trail), start=position.start or None, **query
        )


async def session_query(
    q: Annotated[str, Query(max_length=2_100)] = "",
    add: Annotated[str, Query(max_length=2_100)] = "",
    sort: Annotated[str, Query(max_length=40)] = DEFAULT_SORT,
    size: int = DEFAULT_SIZE,
    after: Annotated[str, Query(max_length=400)] = "",
    trail: Annotated[str, Query(max_length=10_000)] = "",
    start: int = 0,
    cols: Annotated[list[str], Query(max_length=40)] = [],  # noqa: B006
    density: Annotated[str, Query(max_length=20)] = "",
    apply: bool = False,
) -> SessionQuery:
    """Read the list's query string."""
    return SessionQuery(q, add, sort, size, parse_position(after, trail, start), cols, density, apply)


WantedSessions = Annotated[SessionQuery, Depends(session_query)]
