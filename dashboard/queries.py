"""From a query string to a bounded question: which sessions, which events, in what order, how many."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Query

from ..server.errors import InvalidInput
from ..server.filters import Filter
from ..server.models import Direction, EventKind
from ..server.store.base import EventQuery, ServerLogQuery
from .contexts.columns import SORT_KEYS, parse_columns, spell_columns
from .contexts.filterbar import Asked
from .contexts.paging import PAGE_SIZES, Position, parse_position
from .urls import QueryValue, Urls

DEFAULT_SORT: Final = "-last_seen"
DEFAULT_SIZE: Final = 50
EVENTS_SHOWN: Final = 100
"""Rows of the event log on one page."""
LISTED_PAYLOAD_BYTES: Final = 32 * 1024
"""Larger payloads are not read for a list: what a row says of them does not come from inside."""

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


class Times:
    """Between which times events are wanted, as an address says it."""

    def __init__(self, within: str = "", since: str = "", until: str = "") -> None:
        self.within = within if within in WITHIN else ""
        self.since = since.strip()
        self.until = until.strip()
        self.error = ""
        """What cannot be read in it, as a sentence; empty when all is well."""
        self._bounds: tuple[float | None, float | None] = (None, None)
        try:
            self._bounds = parse_time(self.since), parse_time(self.until)
        except InvalidInput as error:
            self.error = error.message

    def __bool__(self) -> bool:
        return bool(self.within or self.since or self.until)

    def values(self) -> dict[str, str | bool]:
        """Return the query values, for addresses that keep them."""
        return {"within": self.within, "from_": self.since, "to": self.until}

    def bounds(self) -> tuple[float | None, float | None]:
        """Return the earliest time and the first one after the end, in Unix seconds."""
        since, until = self._bounds
        if self.within:
            earliest = time.time() - WITHIN[self.within]
            since = earliest if since is None else max(since, earliest)
        return since, until


class Look(NamedTuple):
    """How the chosen event's payload is shown."""

    raw: bool = False
    wrap: bool = True

    def values(self) -> dict[str, QueryValue]:
        """Return the query values, for addresses that keep them."""
        return {"as_": "raw" if self.raw else "", "wrap": None if self.wrap else "0"}


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
        *,
        stream: int | None = None,
        times: Times | None = None,
        look: Look | None = None,
    ) -> None:
        self.kind = kind if kind in _KINDS else ""
        self.method = method.strip()
        self.direction = direction if direction in _DIRECTIONS else ""
        self.errors = errors
        self.before = before
        self.sel = sel
        self.stream = stream
        """Only events of this stream: those of one call, or of the standalone stream."""
        self.times = times or Times()
        self.look = look or Look()

    @property
    def is_filtered(self) -> bool:
        return bool(self.kind or self.method or self.direction or self.errors or self.times) or self.stream is not None

    @property
    def kept(self) -> dict[str, QueryValue]:
        """What an address of the log says in all."""
        return {**self.values(), "before": self.before, "sel": self.sel, **self.look.values()}

    def values(self) -> dict[str, QueryValue]:
        """Return the filter's own query values, for addresses that keep it."""
        return {
            "kind": self.kind,
            "method": self.method,
            "direction": self.direction,
            "errors": self.errors,
            "stream": self.stream,
            **self.times.values(),
        }

    def events(self, *, after: int = 0, newest_first: bool = True, limit: int = EVENTS_SHOWN) -> EventQuery:
        """Return the question for the store; a list reads no large payloads."""
        since, until = self.times.bounds()
        return EventQuery(
            after=after,
            before=self.before,
            limit=limit,
            stream=self.stream,
            kinds=(EventKind(self.kind),) if self.kind else (),
            method=self.method or None,
            direction=Direction(self.direction) if self.direction else None,
            errors_only=self.errors,
            newest_first=newest_first,
            since=since,
            until=until,
            payload_up_to=LISTED_PAYLOAD_BYTES,
        )


class ServerEventsQuery:
    """What the address of the server's event log asks for. Unknown kinds and directions do not restrict."""

    def __init__(self, log: LogQuery, q: str = "", add: str = "", is_finished: bool = False) -> None:
        self.log = log
        self.asked = Asked(q, add, is_finished=is_finished)
        self.asked.error = self.asked.error or log.times.error

    @property
    def error(self) -> str:
        """What cannot be read in it, as a sentence; empty when all is well."""
        return self.asked.error

    @property
    def sessions(self) -> Filter:
        """The filter of the sessions whose events are wanted."""
        return self.asked.filter

    @property
    def is_filtered(self) -> bool:
        return self.log.is_filtered or bool(self.asked.filter.terms)

    def values(self) -> dict[str, QueryValue]:
        """Return the filter's own query values, for addresses that keep it."""
        return {"q": self.asked.filter.text, **self.log.values()}

    def events(self, *, after: int = 0, limit: int = EVENTS_SHOWN) -> ServerLogQuery:
        """Return the question for the store."""
        asked = self.log.events()
        return ServerLogQuery(
            after=after,
            before=asked.before,
            limit=limit,
            kinds=asked.kinds,
            method=asked.method,
            direction=asked.direction,
            errors_only=asked.errors_only,
            since=asked.since,
            until=asked.until,
        )


WITHIN: Final = {"5m": 300.0, "15m": 900.0, "1h": 3_600.0, "24h": 86_400.0}
"""The spans of time an event log offers, in seconds."""

_NUMBER: Final = re.compile(r"[0-9]{1,11}(\.[0-9]{1,6})?")


def parse_time(text: str) -> float | None:
    """Return Unix seconds for ISO 8601 text (UTC unless it says otherwise) or for a number; `None` for no text.

    Raises:
        InvalidInput: It is neither.
    """
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InvalidInput(
            f'"{text[:40]}" is not a time: write it as 2026-11-25T14:30 (UTC) or 2026-11-25T14:30:00+01:00.'
        ) from None


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


async def log_query(
    kind: Annotated[str, Query(max_length=40)] = "",
    method: Annotated[str, Query(max_length=200)] = "",
    direction: Annotated[str, Query(max_length=40)] = "",
    errors: bool = False,
    before: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
    sel: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
    stream: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    within: Annotated[str, Query(max_length=10)] = "",
    since: Annotated[str, Query(alias="from", max_length=60)] = "",
    until: Annotated[str, Query(alias="to", max_length=60)] = "",
    shown_as: Annotated[str, Query(alias="as", max_length=10)] = "",
    wrap: Annotated[str, Query(max_length=2)] = "1",
) -> LogQuery:
    """Read the query string of an event log."""
    times, look = Times(within, since, until), Look(shown_as == "raw", wrap != "0")
    return LogQuery(kind, method, direction, errors, before, sel, stream=stream, times=times, look=look)


async def server_events_query(
    log: Annotated[LogQuery, Depends(log_query)],
    q: Annotated[str, Query(max_length=2_100)] = "",
    add: Annotated[str, Query(max_length=2_100)] = "",
    apply: bool = False,
) -> ServerEventsQuery:
    """Read the query string of the server's event log."""
    return ServerEventsQuery(log, q, add, apply)


WantedSessions = Annotated[SessionQuery, Depends(session_query)]
WantedEvents = Annotated[LogQuery, Depends(log_query)]
WantedServerEvents = Annotated[ServerEventsQuery, Depends(server_events_query)]
