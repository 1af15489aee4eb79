"""The log of each session: how it is asked, appended to and followed."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol

from ...models import Direction, Event, EventKind, EventPage, ServerLogPage

MAX_PAGE_BYTES = 8 * 1024 * 1024
"""Payload bytes of one page of events, so that a reader of large messages stays bounded too."""


class EventQuery(NamedTuple):
    """Which events to read. Unset fields do not restrict."""

    after: int = 0
    """Only events with a greater `seq`."""
    before: int | None = None
    """Only events with a smaller `seq`."""
    limit: int = 100
    """1 to 1,000."""
    max_bytes: int = MAX_PAGE_BYTES
    """Payload bytes of one page; its first event is given whatever its size."""
    stream: int | None = None
    kinds: tuple[EventKind, ...] = ()
    method: str | None = None
    direction: Direction | None = None
    errors_only: bool = False
    request_id: str | None = None
    newest_first: bool = False
    since: float | None = None
    """Only events of this time or later."""
    until: float | None = None
    """Only events before this time."""
    payload_up_to: int | None = None
    """Payloads of larger messages are left out: what a list or a chart needs is small. `None` leaves none out."""


class ServerLogQuery(NamedTuple):
    """Which events of all sessions to read, newest first. Unset fields do not restrict."""

    after: int = 0
    """Only events with a greater `ServerEvent.id`."""
    before: int | None = None
    """Only events with a smaller one."""
    limit: int = 100
    """1 to 1,000."""
    kinds: tuple[EventKind, ...] = ()
    method: str | None = None
    direction: Direction | None = None
    errors_only: bool = False
    since: float | None = None
    """Only events of this time or later."""
    until: float | None = None
    """Only events before this time."""
    sessions: frozenset[int] | None = None
    """Numbers of the sessions whose events to read."""
    with_payloads: bool = False
    """Otherwise only small payloads of requests and keys come along: what a list says about them."""


class Tail(Protocol):
    """A reader that follows one log from a cursor: no gap, no double, in order of `seq`."""

    @property
    def dropped(self) -> int:
        """Events between the cursor and the first one read that retention had dropped."""
        ...

    @property
    def waiting(self) -> int | None:
        """Events that the next `read` returns at once; `None` when the store has to be read first."""
        ...

    async def read(self, timeout: float | None = None) -> list[Event]:
        """Return the next committed events, at least one, or `[]` on a timeout or after `wake`."""
        ...

    def wake(self) -> None:
        """Make a pending or the next `read` return `[]` at once."""
        ...

    def close(self) -> None:
        """Stop following. Idempotent."""
        ...


class EventLog(Protocol):
    """One append-only log per session."""

    def append(self, session_no: int, event: Event) -> asyncio.Future[None]:
        """Queue an event; the future resolves after its commit.

        Calls for one session are made in order of `seq` and are committed in that order. A failed
        commit is retried; the future fails with `StoreUnavailable` when the bound (2 s) has passed,
        while the row stays queued so that the log has no gap.

        Raises:
            Overloaded: The queue is full. Nothing was queued and `seq` is free to be used again.
        """
        ...

    def write(self, session_no: int, event: Event) -> None:
        """Queue an event that nobody waits for, in order with the others; its commit may wait 50 ms for company.

        Raises:
            Overloaded: As for `append`.
        """
        ...

    async def read(self, session_no: int, query: EventQuery) -> EventPage:
        """Return committed events that match, in ascending `seq` unless `newest_first`."""
        ...

    async def get(self, session_no: int, seq: int) -> Event | None:
        """Return one committed event, or `None` when it was dropped or never written."""
        ...

    async def read_all(self, query: ServerLogQuery) -> ServerLogPage:
        """Return committed events of all sessions that match, newest first.

        Bounded in time: a search for something rare stops after a while and says where to go on.
        """
        ...

    async def newest_id(self) -> int:
        """Return the `ServerEvent.id` of the newest committed event; 0 when there is none."""
        ...

    def tail(self, session_no: int, after: int, *, stream: int | None = None) -> Tail:
        """Follow a log from `after` on, optionally one stream of it. Bounded in memory."""
        ...
