"""A session: what it is, what the store keeps of it, how it is shown, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

ACTIVE_WINDOW_SECONDS = 60.0
"""A session whose client was heard within this time is shown as active, otherwise as idle."""


class SessionKind(StrEnum):
    """What a session is on the wire. `CLIENT` is not a session: it collects the calls of one
    client of the 2026-07-28 era that carry no handle, and is never listed among sessions."""

    STREAMABLE_HTTP = "streamable-http"
    SSE = "sse"
    STDIO = "stdio"
    HANDLE = "handle"
    CLIENT = "client"


class Era(StrEnum):
    """The two protocol eras: revisions up to 2025-11-25 open with a handshake, 2026-07-28 does not."""

    HANDSHAKE = "handshake"
    MODERN = "modern"


class SessionState(StrEnum):
    """Where a session is in its life. The first three are the handshake's own names."""

    NOT_INITIALIZED = "not_initialized"
    INITIALIZING = "initializing"
    INITIALIZED = "initialized"
    DETACHED = "detached"
    """Initialized, but no worker has held it since a restart; the next request revives it."""
    REJECTED = "rejected"
    CLOSED = "closed"
    EXPIRED = "expired"

    @property
    def is_live(self) -> bool:
        """Whether a client may still use the session."""
        return self not in ENDED_STATES


ENDED_STATES = frozenset({SessionState.REJECTED, SessionState.CLOSED, SessionState.EXPIRED})


class SignedIn(NamedTuple):
    """Who is signed in to a session, by `secure_login` or a tool of that kind."""

    user: str
    at: float
    expires_at: float
    stamp: str
    """What the user's password was known by at the sign-in; another one ends it."""


MODERN_SINCE = "2026-07-28"
"""First revision without a handshake; revisions are dates and compare as text."""


@dataclass(slots=True)
class SessionRecord:
    """The durable part of a session: what the store keeps and a restart restores."""

    no: int
    """Internal number, unique in the store; never leaves it."""
    id: str
    """Public reference: 13 characters, 64 random bits; appears in URLs, the API and logs."""
    kind: SessionKind
    state: SessionState
    server: str
    """Name of the mounted MCP server the session belongs to."""
    worker_id: str
    created_at: float
    last_activity_at: float
    sid_hash: bytes | None = None
    """SHA-256 of the `Mcp-Session-Id` or handle, which is a bearer secret and is not kept."""
    sid_prefix: str = ""
    """Its first eight characters, for people."""
    epoch: int = 1
    epochs: list[tuple[int, int]] = field(default_factory=lambda: [(1, 1)])
    """`(epoch, first seq)` pairs, oldest first: which event ids each epoch can have issued."""
    principal: str | None = None
    """Who the access token speaks for, as shown; `None` where the server asks for no token."""
    principal_key: str | None = None
    """Issuer, client and subject as JSON: what a request must match to use the session."""
    client_name: str = ""
    client_version: str = ""
    protocol_version: str = ""
    address: str = ""
    init: str | None = None
    """The `initialize` params as JSON, from which a revival rebuilds the connection."""
    is_initialized: bool = False
    """Whether `notifications/initialized` has arrived."""
    ended_at: float | None = None
    end_code: str | None = None
    """`client`, `idle`, `lifetime`, `operator`, `limit`, `refused`, `shutdown`, `token` or `disconnect`."""
    end_by: str | None = None
    end_reason: str | None = None
    request_count: int = 0
    error_count: int = 0
    key_count: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    last_seq: int = 0
    trimmed_seq: int = 0
    """Events up to here were dropped by retention; 0 when none."""
    delivered_seq: int = 0
    """Highest event of the standalone stream that was written to an open stream."""
    log_level: str | None = None
    """The level the client set with `logging/setLevel`; `None` before it did."""
    idle_seconds: float | None = None
    """Idle limit of this session; 0 is none at all, `None` means that of a rule or of the server."""
    lifetime_seconds: float | None = None
    signed_in: SignedIn | None = None
    """`None` while nobody is signed in."""
    history: str = "[]"
    """Its states so far, as JSON; read and written by `models.history` alone."""

    @property
    def is_modern(self) -> bool:
        """Whether its client speaks 2026-07-28 or newer: nothing is sent to it that it did not ask for."""
        return self.protocol_version >= MODERN_SINCE

    @property
    def hears_by_listening(self) -> bool:
        """Whether messages reach it over listen streams alone; handles and clients have no stream besides."""
        return self.is_modern or self.kind in (SessionKind.HANDLE, SessionKind.CLIENT)


class EndedId(NamedTuple):
    """What is kept of an ended session for whoever asks about its id: for weeks, while its log is kept for a day."""

    sid_hash: bytes
    session_id: str
    kind: SessionKind
    state: SessionState
    server: str
    client_name: str
    client_version: str
    principal_key: str | None
    end_code: str | None
    end_by: str | None
    end_reason: str | None
    ended_at: float

    @classmethod
    def of(cls, record: SessionRecord) -> EndedId:
        """Return the part of an ended session's record that outlives it; the record has a `sid_hash`."""
        return cls(
            record.sid_hash or b"",
            record.id,
            record.kind,
            record.state,
            record.server,
            record.client_name,
            record.client_version,
            record.principal_key,
            record.end_code,
            record.end_by,
            record.end_reason,
            record.last_activity_at if record.ended_at is None else record.ended_at,
        )


@dataclass(frozen=True, slots=True)
class Session:
    """A session at one moment, as pages, the API and the command line show it."""

    id: str
    kind: SessionKind
    state: SessionState
    status: str
    """`state`, with `initialized` split by recent activity into `active` and `idle`."""
    era: Era
    server: str
    worker_id: str
    mcp_session_id_prefix: str
    protocol_version: str
    client_name: str
    client_version: str
    principal: str | None
    address: str
    request_count: int
    error_count: int
    in_flight: int
    open_streams: int
    key_count: int
    event_count: int
    """Events ever recorded, dropped ones included."""
    bytes_in: int
    bytes_out: int
    created_at: float
    last_activity_at: float
    expires_at: float | None
    ended_at: float | None
    end_code: str | None
    end_by: str | None
    end_reason: str | None
    log_level: str | None
    trimmed_seq: int
    groups: tuple[str, ...] = ()
    """Names of the groups it is a member of; membership ends with the session."""
    signed_in: SignedIn | None = None
    """`None` while nobody is signed in, and once the session has ended."""
    recent: tuple[tuple[int, int], ...] = ()
    """`(requests, errors)` of the last five minutes in 24 equal steps, oldest first."""
    idle_seconds: float | None = None
    """The limits in force; `None` where there is none, and for what has ended."""
    lifetime_seconds: float | None = None
    idle_from: str = ""
    """`session`, `server`, or the filter of the rule that sets it."""
    lifetime_from: str = ""
    version: int = 0
    """Grows whenever anything shown here changed; compares within one process only."""

    @property
    def is_live(self) -> bool:
        return self.state.is_live


class SessionPage(NamedTuple):
    """One page of a session list."""

    items: list[Session]
    next_cursor: str | None
    total: int
    by_status: dict[str, int]
    """How many match by status, whatever the filter says of states."""


LISTEN: Final = "subscriptions/listen"
"""The request whose answer is a stream of notifications (2026-07-28, SEP-2575)."""

ENDLESS_METHODS: Final = frozenset({LISTEN})
"""Answered when their stream ends: how long that took says nothing about speed."""


class InFlight(NamedTuple):
    """A request that has not been answered yet."""

    request_id: str
    """JSON text, as sent."""
    seq: int
    method: str
    target: str | None
    """Tool, prompt or resource the request names."""
    started_at: float
    waiting_for_client: bool
    progress: float | None
    total: float | None
    cancelled: bool

    @property
    def is_endless(self) -> bool:
        """Whether it is answered only when its stream ends, so that its age says nothing."""
        return self.method in ENDLESS_METHODS


class StreamInfo(NamedTuple):
    """A stream a client holds open right now."""

    stream: int
    kind: str
    """`get`, `post`, `listen`, `sse` or `stdio`."""
    method: str | None
    opened_at: float
    sent: int
    """Events written to this connection."""
    last_write_at: float | None
    """When an event was written last."""
    resumed_from: int | None
    written_at: float | None = None
    """When a write last went through, pings included; `None` where the SDK writes the stream."""
    blocked_since: float | None = None
    """Since when a write waits for a client that does not read; `None` while none does."""
    queued: int | None = None
    """Committed events that wait to be written; `None` where that is not known."""
    write_errors: int = 0
    asked_for: tuple[str, ...] = ()
    """What a listen stream is to be told of, as its client asked: addresses of resources, names of lists."""
