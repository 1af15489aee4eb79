"""The store's contract: what every engine promises, and what it may refuse.

An engine is one object with the attributes below. Every engine passes the one suite in
`tests/server/store/`. All methods are called on the event loop's thread and none of them blocks it.
A write is acknowledged (its future resolves) only after it is committed.
"""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..filters import Filter
from ..models import (
    Actor,
    AuditEntry,
    Block,
    Broadcast,
    DeliveryStatus,
    Direction,
    EndedId,
    Event,
    EventKind,
    EventPage,
    Figures,
    Member,
    Receipt,
    ServerLogPage,
    SessionRecord,
    StoredKey,
)


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of each log is kept. Reaching any bound drops the oldest events first."""

    max_events: int = 10_000
    max_bytes: int = 16 * 1024 * 1024
    max_age_seconds: float = 24 * 3600
    payload_seconds: float | None = None
    """How long what was sent to a client keeps its payload; `None` as long as its event."""
    ended_session_seconds: float = 24 * 3600
    """How long an ended session and its log stay listed."""
    rejected_session_seconds: float = 300
    """The same for a refused handshake, of which a hostile client can make many."""
    ended_id_seconds: float = 30 * 24 * 3600
    """How long after its end a session's id is remembered with the reason, although the session is dropped."""
    max_ended_ids: int = 1_000_000
    """Ids remembered at most, some 250 bytes each; the first to have been dropped are forgotten first."""
    broadcast_seconds: float = 30 * 24 * 3600
    """How long a broadcast and its receipts are kept."""
    figures_seconds: float = 7 * 24 * 3600
    """How long the minutes behind the charts are kept, half a kilobyte each."""


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


class Registry(Protocol):
    """The sessions themselves."""

    @property
    def ended_version(self) -> int:
        """Grows whenever the kept ended sessions changed, so that what was counted of them can be kept."""
        ...

    def allocate(self) -> int:
        """Return the next session number."""
        ...

    def save(self, record: SessionRecord) -> asyncio.Future[None]:
        """Queue the record's present values (copied at the call), in order with its events."""
        ...

    def save_many(self, records: Sequence[SessionRecord]) -> asyncio.Future[None]:
        """Queue many records as one write; used for counters every second."""
        ...

    async def load_live(self) -> list[SessionRecord]:
        """Return every session that has not ended, for start-up."""
        ...

    async def find(self, *, sid_hash: bytes | None = None, session_id: str | None = None) -> SessionRecord | None:
        """Return the newest record with that secret's hash or that public reference."""
        ...

    async def ended_id(self, sid_hash: bytes) -> EndedId | None:
        """Return what is remembered of an ended session that `sweep` has dropped. Never a refused handshake."""
        ...

    async def ended(
        self,
        query: Filter,
        *,
        now: float,
        sort: str = "-last_seen",
        limit: int = 50,
        after: tuple[float | int | str, str] | None = None,
    ) -> list[SessionRecord]:
        """Return ended sessions (never kind `client`) that match, sorted, after the key `(value, id)`.

        `sort` is one of `last_seen`, `created`, `requests`, `errors`, `client`, `keys`, with `-` for
        descending; ties are ordered by `id` in the same direction.
        """
        ...

    async def count_ended(self, query: Filter, *, now: float) -> dict[str, int]:
        """Return how many ended sessions match, by state."""
        ...

    async def ended_numbers(self, query: Filter, *, now: float, limit: int) -> list[int]:
        """Return the numbers of ended sessions (never kind `client`) that match, the newest first."""
        ...

    async def sweep(self, now: float) -> int:
        """Apply retention: drop old events, ended sessions, their keys, old ended ids. Return rows removed."""
        ...


class KeyLimits(NamedTuple):
    """Bounds of one session's stored keys."""

    max_keys: int = 1_000
    max_value_bytes: int = 256 * 1024
    max_total_bytes: int = 4 * 1024 * 1024


class KeyWrite(NamedTuple):
    """One change of a stored key among several that are made together."""

    name: str
    if_version: int
    """The version it must have now; 0: it must be absent."""
    version: int | None
    """The version it has then; `None` deletes it."""
    value: str | None = None
    sealed: bytes | None = None
    key_id: str | None = None
    size_bytes: int = 0
    expires_at: float | None = None


class KeyValues(Protocol):
    """Stored keys. Expired keys are never returned."""

    async def get(self, session_no: int, name: str) -> StoredKey | None: ...

    async def sealed(self, session_no: int, name: str) -> bytes | None:
        """Return a secret's sealed bytes, or `None` when the key is absent or not a secret."""
        ...

    async def put(
        self,
        session_no: int,
        name: str,
        value: str | None,
        *,
        sealed: bytes | None = None,
        key_id: str | None = None,
        size_bytes: int,
        expires_at: float | None = None,
        if_version: int | None = None,
        limits: KeyLimits,
    ) -> StoredKey:
        """Store a value (JSON text) or sealed bytes and return the new row, version counted up.

        `if_version=0` means "only when absent".

        Raises:
            Conflict: The present version is not `if_version`.
            LimitReached: The session would hold too many keys or bytes; nothing was changed.
        """
        ...

    async def apply(self, session_no: int, writes: Sequence[KeyWrite], *, limits: KeyLimits) -> None:
        """Make all of these changes, or none.

        Raises:
            Conflict: A key is at another version than its write expects.
            LimitReached: The session would hold too many keys or bytes.
        """
        ...

    async def delete(self, session_no: int, name: str, *, if_version: int | None = None) -> bool: ...

    async def list(self, session_no: int) -> list[StoredKey]:
        """Return all keys, by name."""
        ...

    async def count(self, session_no: int) -> int:
        """Return how many keys there are."""
        ...

    async def clear(self, session_no: int) -> int: ...

    async def drop_expired(self, now: float) -> builtins.list[tuple[int, str]]:
        """Remove keys whose time is up, some at a time, and return their sessions and names; `[]` when none is left."""
        ...


class SealedRow(NamedTuple):
    """A sealed text and where it is kept."""

    table: str
    """`kv` or `event`."""
    session_no: int
    name: str
    """The stored key's name, or the event's `seq`."""
    session_id: str
    sealed: str


class SealedRows(Protocol):
    """Everything that is sealed, for re-sealing it under another key."""

    async def stale(self, newest: str, *, after: SealedRow | None = None, limit: int = 100) -> list[SealedRow]:
        """Return rows not sealed under the key `newest`, values before events, each in order, after one of them."""
        ...

    async def replace(self, rows: Sequence[tuple[SealedRow, str]], key_id: str) -> int:
        """Put new tokens, of key `key_id`, in the place of those read; return how many rows still had them."""
        ...


class AuditLog(Protocol):
    """Append-only, chained with HMAC-SHA256, always committed in full before it is acknowledged."""

    async def record(
        self,
        *,
        action_id: str,
        phase: str,
        actor: Actor,
        action: str,
        target: str,
        reason: str,
        outcome: str,
        detail: str,
    ) -> int:
        """Append one row (`phase` is `intent` or `outcome`) and return its id."""
        ...

    async def query(
        self,
        *,
        limit: int = 50,
        before: int | None = None,
        actor: str | None = None,
        action: str | None = None,
        target: str | None = None,
        matching: Filter | None = None,
    ) -> list[AuditEntry]:
        """Return actions newest first, intent and outcome merged; `id` is the intent's row id.

        `target` finds what contains that text in its target or in its outcome's detail, such as a session id.
        `matching` is a filter of the audit log's own vocabulary, see `filters.audit`.
        """
        ...

    async def get(self, action_id: str) -> AuditEntry | None: ...

    def add_results(self, action_id: str, results: Sequence[tuple[str, str]]) -> asyncio.Future[None]:
        """Queue what an action did to sessions: `(session id, result)`. Not part of the chain; kept for 30 days."""
        ...

    async def results(
        self, action_id: str, *, result: str | None = None, after: str = "", limit: int = 100
    ) -> list[tuple[str, str]]:
        """Return `(session id, result)` by session id, from the one after `after` on."""
        ...

    async def result_counts(self, action_id: str) -> dict[str, int]:
        """Return how many sessions had each result, the most frequent first."""
        ...

    async def verify(self) -> int | None:
        """Return the id of the first row that breaks the chain, or `None` when it holds."""
        ...


class Broadcasts(Protocol):
    """Broadcasts and their receipts."""

    async def create(self, broadcast: Broadcast, recipients: Sequence[str]) -> Broadcast:
        """Store it with one pending receipt per recipient; a known idempotency key returns the first one."""
        ...

    def settle(self, broadcast_id: str, receipts: Sequence[Receipt]) -> asyncio.Future[None]:
        """Queue receipts, replacing those of the same session."""
        ...

    def set_status(self, broadcast_id: str, status: str) -> asyncio.Future[None]: ...

    async def get(self, broadcast_id: str) -> Broadcast | None: ...

    async def list(self, *, limit: int = 50, before: str | None = None, group: str | None = None) -> list[Broadcast]:
        """Return broadcasts newest first; `before` is the id of the last one already shown.

        `group` chooses the messages that members of that group sent with a tool; `""` chooses operators'.
        """
        ...

    async def receipts(
        self, broadcast_id: str, *, status: DeliveryStatus | None = None, limit: int = 1_000, after: str = ""
    ) -> builtins.list[Receipt]:
        """Return receipts by session id."""
        ...

    async def receipts_of(self, broadcast_id: str, session_ids: Sequence[str]) -> builtins.list[Receipt]:
        """Return the receipts of some recipients, by session id; those that have none are left out."""
        ...

    async def last_trial(self, actor: str) -> str | None:
        """Return the session an operator last tried a broadcast on, or `None`."""
        ...

    async def queued(self, now: float) -> builtins.list[tuple[str, Receipt]]:
        """Return `(broadcast id, receipt)` of everything still queued and not expired, for start-up."""
        ...


class FiguresLog(Protocol):
    """One row for each minute: what the charts are drawn from."""

    def save(self, minute: Figures) -> asyncio.Future[None]:
        """Queue a minute, replacing the one with the same `at`."""
        ...

    async def read(self, since: int) -> list[Figures]:
        """Return the minutes that begin at `since` (Unix seconds) or later, oldest first."""
        ...


class Groups(Protocol):
    """Which sessions are members of which groups. Few enough to be read whole at start-up."""

    def join(self, member: Member) -> asyncio.Future[None]:
        """Queue a membership; one that is there already keeps the time it began."""
        ...

    def leave(self, member: Member) -> asyncio.Future[None]:
        """Queue the end of one membership; nothing happens when it is not there."""
        ...

    def forget(self, session_id: str) -> asyncio.Future[None]:
        """Queue the end of all memberships of a session."""
        ...

    async def load(self) -> list[Member]:
        """Return every membership, the oldest first."""
        ...


class Blocks(Protocol):
    """Whom the server refuses. Always committed in full before it is acknowledged; read whole at start-up."""

    def put(self, block: Block) -> asyncio.Future[None]:
        """Queue a block, in place of the one with the same id."""
        ...

    def remove(self, block_id: str) -> asyncio.Future[None]:
        """Queue the removal of a block; nothing happens when it is not there."""
        ...

    async def load(self) -> list[Block]:
        """Return every block, those past their time included, the oldest first."""
        ...


class StoreHealth(NamedTuple):
    """What the health page says of the store."""

    is_ok: bool
    message: str
    queued: int
    """Writes waiting for a commit."""
    last_commit_ms: float
    failed_commits: int
    commits: int = 0
    """Transactions committed since it was opened."""
    commit_seconds: float = 0.0
    """Time they took together."""
    file_bytes: int = 0
    """Size of the database with its write-ahead log; 0 where there is no file."""
    last_error: str = ""
    """Why a commit failed last, also after it has healed; empty when none has."""
    trouble: str = ""
    """What is the matter in a word or two, for probes: `disk full`, `locked`, `damaged`, `slow`, `failing`."""


class Store(Protocol):
    """One engine: the parts above and its life."""

    @property
    def events(self) -> EventLog: ...
    @property
    def sessions(self) -> Registry: ...
    @property
    def keys(self) -> KeyValues: ...
    @property
    def sealed(self) -> SealedRows: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def broadcasts(self) -> Broadcasts: ...
    @property
    def figures(self) -> FiguresLog: ...
    @property
    def groups(self) -> Groups: ...
    @property
    def blocks(self) -> Blocks: ...
    @property
    def is_durable(self) -> bool:
        """Whether anything survives the process."""
        ...

    async def open(self) -> None:
        """Open or create the store. A damaged one is opened for reading alone, and `health` says what to do.

        Raises:
            StartupError: It cannot be used; the message says what to do.
        """
        ...

    async def close(self) -> None:
        """Commit what is queued and release everything."""
        ...

    def health(self) -> StoreHealth: ...
