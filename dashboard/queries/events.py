"""What the address of an event log asks for: a session's own, or the whole server's."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Query

from ...server.filters import Filter
from ...server.models import Direction, EventKind
from ...server.store.base import EventQuery, ServerLogQuery
from ..contexts.filterbar import Asked
from ..urls import QueryValue
from .times import Times

EVENTS_SHOWN: Final = 100
"""Rows of the event log on one page."""
LISTED_PAYLOAD_BYTES: Final = 32 * 1024
"""Larger payloads are not read for a list: what a row says of them does not come from inside."""
_KINDS: Final = frozenset(kind.value for kind in EventKind)
_DIRECTIONS: Final = frozenset(direction.value for direction in Direction)


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


WantedEvents = Annotated[LogQuery, Depends(log_query)]
WantedServerEvents = Annotated[ServerEventsQuery, Depends(server_events_query)]
