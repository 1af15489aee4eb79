"""From a query string to a bounded question: which sessions, which events, in what order, how many."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Query

from ..server.models import Direction, EventKind
from ..server.store.base import EventQuery
from .contexts.filterbar import Asked
from .contexts.paging import PAGE_SIZES, Position, parse_position
from .contexts.sessions import SORT_KEYS
from .urls import Urls

DEFAULT_SORT: Final = "-last_seen"
DEFAULT_SIZE: Final = 50
EVENTS_SHOWN: Final = 100
"""Rows of the event log on one page."""

_START: Final = Position()
_KINDS: Final = frozenset(kind.value for kind in EventKind)
_DIRECTIONS: Final = frozenset(direction.value for direction in Direction)


class SessionQuery:
    """What the list's address asks for, defaults filled in."""

    def __init__(
        self,
        q: str = "",
        add: str = "",
        sort: str = DEFAULT_SORT,
        size: int = DEFAULT_SIZE,
        position: Position = _START,
    ) -> None:
        self.asked = Asked(q, add)
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

    def address(self, urls: Urls, q: str, position: Position = _START, **other: str) -> str:
        """Return the list's address in this request's order and size, unless `other` says otherwise."""
        query = {"sort": self.sort_value, "size": self.size_value, **other}
        return urls.sessions(
            q, after=position.after, trail=" ".join(position.trail), start=position.start or None, **query
        )


class LogQuery:
    """What an event log's address asks for. Unknown kinds and directions do not restrict."""

    def __init__(
        self,
        kind: str = "",
        method: str = "",
        direction: str = "",
        errors: bool = False,
        before: int | None = None,
        sel: int | None = None,
    ) -> None:
        self.kind = kind if kind in _KINDS else ""
        self.method = method.strip()
        self.direction = direction if direction in _DIRECTIONS else ""
        self.errors = errors
        self.before = before
        self.sel = sel

    @property
    def is_filtered(self) -> bool:
        return bool(self.kind or self.method or self.direction or self.errors)

    def values(self) -> dict[str, str | bool]:
        """Return the filter's own query values, for addresses that keep it."""
        return {"kind": self.kind, "method": self.method, "direction": self.direction, "errors": self.errors}

    def events(self, *, after: int = 0, newest_first: bool = True, limit: int = EVENTS_SHOWN) -> EventQuery:
        """Return the question for the store."""
        return EventQuery(
            after=after,
            before=self.before,
            limit=limit,
            kinds=(EventKind(self.kind),) if self.kind else (),
            method=self.method or None,
            direction=Direction(self.direction) if self.direction else None,
            errors_only=self.errors,
            newest_first=newest_first,
        )


async def session_query(
    q: Annotated[str, Query(max_length=2_100)] = "",
    add: Annotated[str, Query(max_length=2_100)] = "",
    sort: Annotated[str, Query(max_length=40)] = DEFAULT_SORT,
    size: int = DEFAULT_SIZE,
    after: Annotated[str, Query(max_length=400)] = "",
    trail: Annotated[str, Query(max_length=10_000)] = "",
    start: int = 0,
) -> SessionQuery:
    """Read the list's query string."""
    return SessionQuery(q, add, sort, size, parse_position(after, trail, start))


async def log_query(
    kind: Annotated[str, Query(max_length=40)] = "",
    method: Annotated[str, Query(max_length=200)] = "",
    direction: Annotated[str, Query(max_length=40)] = "",
    errors: bool = False,
    before: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
    sel: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
) -> LogQuery:
    """Read the query string of an event log."""
    return LogQuery(kind, method, direction, errors, before, sel)


WantedSessions = Annotated[SessionQuery, Depends(session_query)]
WantedEvents = Annotated[LogQuery, Depends(log_query)]
