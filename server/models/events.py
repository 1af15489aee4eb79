"""One row of a session's log, and a slice of it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from .sessions import SessionKind

STANDALONE_STREAM = 0
"""Stream number of a session's standalone GET stream; a request's own stream has its `seq`."""


class Direction(StrEnum):
    """Who wrote an event; `LOCAL` events never crossed the wire."""

    FROM_CLIENT = "from_client"
    FROM_SERVER = "from_server"
    LOCAL = "local"


class EventKind(StrEnum):
    """What one row of the event log records."""

    REQUEST = "request"
    RESPONSE = "response"
    ERROR = "error"
    NOTIFICATION = "notification"
    LIFECYCLE = "lifecycle"
    STREAM = "stream"
    KEY = "key"
    OPERATOR = "operator"


ANSWERS = (EventKind.RESPONSE, EventKind.ERROR)
"""What settles a request."""


class Event(NamedTuple):
    """One row of a session's append-only log."""

    seq: int
    """1, 2, 3, … within the session, without gaps."""
    epoch: int
    """Grows with every restart or hand-over of the session; part of the event id on the wire."""
    at: float
    direction: Direction
    kind: EventKind
    method: str | None = None
    """The JSON-RPC method (an answer carries its request's), or the name of a local event."""
    stream: int | None = None
    """`STANDALONE_STREAM`, the `seq` of the request whose stream carried it, or `None` when local."""
    request_id: str | None = None
    """The JSON-RPC id as JSON text, so `5` and `"5"` stay apart."""
    size_bytes: int = 0
    """Size of the whole message, also when `payload` was cut."""
    duration_us: int | None = None
    """On an answer: microseconds since its request."""
    error_code: int | None = None
    """JSON-RPC error code, or 0 where a tool answered `isError`."""
    related_seq: int | None = None
    """An answer names its request; a replayed notification names its original."""
    expires_at: float | None = None
    """A queued broadcast or replay is not delivered after this time; `None` means no limit."""
    payload: str | None = None
    """What may be shown, exported and searched: secrets are masked."""
    sealed: str | None = None
    """The whole text that `payload` is the masked form of, sealed: what a resuming client gets, or a secret's value."""


class EventPage(NamedTuple):
    """A bounded slice of a log."""

    events: list[Event]
    dropped: int
    """How many events directly before the first one retention has dropped (0: none)."""
    has_more: bool


class ServerEvent(NamedTuple):
    """A row in the log of the whole server: an event, and whose it is."""

    id: int
    """Order of appending over all sessions; grows, with gaps."""
    session_id: str
    session_kind: SessionKind
    client_name: str
    event: Event


class ServerLogPage(NamedTuple):
    """A bounded slice of the log of the whole server, newest first."""

    events: list[ServerEvent]
    next_before: int | None
    """Where the next page begins; `None` at the oldest event."""
    is_partial: bool
    """Whether the search stopped before the page was full: what it looked at last is at `next_before`."""


class PastCall(NamedTuple):
    """A request that was not answered at a moment."""

    seq: int
    request_id: str
    """JSON text, as sent."""
    method: str
    target: str | None
    """Tool, prompt or resource it names."""
    started_at: float
    direction: Direction
    """Who asked."""


class CallsAt(NamedTuple):
    """Which requests of both sides were not answered directly after an event of the log."""

    seq: int
    at: float
    """Time of that event."""
    calls: list[PastCall]
    """Oldest first."""
    is_whole: bool
    """Whether nothing can be missing: the log was read back to its beginning."""
