"""`Directory`: every question that a page, an API route or a live frame asks, answered with plain values."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from ..engine.diagnosis import Diagnosis, diagnose
from ..engine.engine import Engine
from ..engine.meter import Totals
from ..engine.refusals import Refusal
from ..engine.session import LiveSession, describe
from ..errors import NotFound
from ..filters import Filter
from ..ids import hash_secret
from ..models import (
    AuditEntry,
    Broadcast,
    CallsAt,
    DeliveryStatus,
    Direction,
    ErrorGroup,
    Event,
    EventKind,
    EventPage,
    HeldResource,
    InFlight,
    KeysAt,
    Receipt,
    Session,
    SessionKind,
    SessionPage,
    SessionRecord,
    StoredKey,
    StreamInfo,
    Transition,
    history_of,
)
from ..resources import ResourceRegistry
from ..store.base import EventQuery, ServerLogQuery, Tail
from .declared import initialize_result, latest_meta
from .failures import ERRORS_READ, FailedCall, group_failures
from .figures import FlyingCall, Health
from .listing import Listing
from .overall import Overall
from .past import keys_at
from .past_calls import calls_at
from .rules import Rules
from .server_log import ServerLog
from .tally import Tally
from .trends import Range, Trends
from .watching import LimitState, Vitals

_CLIENT_WINDOW = 300.0
"""A sessionless client counts as an audience while it was heard within these seconds, or listens."""

_LATENCY_SAMPLE = 200


class Directory:
    """Reads only. Methods that are not `async` answer from memory."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._listing = Listing(engine)
        self._overall = Overall(engine)
        self.rules = Rules(engine)
        """Groups and blocks."""
        self.changes = engine.bus
        self.log = ServerLog(engine)
        """The log of the whole server."""
        self.server_names: list[str] = []
        """The mounted MCP servers, in order of mounting."""

    # -- sessions ------------------------------------------------------------------------------

    async def sessions(
        self, query: Filter, *, sort: str = "-last_seen", limit: int = 50, cursor: str | None = None
    ) -> SessionPage:
        """Return one page of sessions, live and ended.

        Raises:
            InvalidInput: The order or the cursor is unknown.
        """
        return await self._listing.page(query, sort, max(1, min(limit, 500)), cursor)

    async def count_by_status(self, query: Filter) -> dict[str, int]:
        """Return how many sessions match by status; the filter's own `state:` terms do not count."""
        return await self._listing.count_by_status(query)

    async def count(self, query: Filter) -> int:
        """Return how many sessions match."""
        return await self._listing.count(query)

    async def tally(self, query: Filter, *, is_shared: bool = False) -> Tally:
        """Return how many sessions match, and the ones opened last.

        Args:
            is_shared: What was counted for another follower in the last two seconds will do.
        """
        tallies = self._listing.tallies
        return await (tallies.shared(query) if is_shared else tallies.take(query))

    def live_version(self, session_id: str) -> tuple[int, str] | None:
        """Return the version and the status of a live session, cheaply; `None` when it has ended."""
        live = self._engine.by_id.get(session_id)
        return (live.version, live.status) if live is not None else None

    def values_of(self, key: str) -> Counter[str]:
        """Return the values that live sessions have for a text key of the filter language, with how many have each."""
        return self._listing.values_of(key)

    def everything(self, query: Filter, exclude: frozenset[str] = frozenset()) -> AsyncIterator[list[Session]]:
        """Yield every session that matches, live ones first, some at a time, for an export."""
        return self._listing.everything(query, exclude)

    def matching_live(self, query: Filter) -> list[LiveSession]:
        """Return the live sessions that match, for operations."""
        return list(self._listing.live(query))

    async def session(self, session_id: str) -> Session:
        """Return one session, live or ended.

        Raises:
            NotFound: No such session is kept.
        """
        live = self._engine.by_id.get(session_id)
        if live is not None:
            return self._engine.describe(live)
        return describe(await self._record(session_id))

    def live_session(self, session_id: str) -> Session | None:
        """Return one live session, or `None`."""
        live = self._engine.by_id.get(session_id)
        return self._engine.describe(live) if live is not None else None

    async def lookup(self, mcp_session_id: str) -> Session:
        """Return the session that a secret `Mcp-Session-Id` or handle names.

        Raises:
            NotFound: With what can be said about why.
        """
        found = await self.diagnose(mcp_session_id)
        if found.session_id is not None:
            with contextlib.suppress(NotFound):  # only its id is remembered, and the sentence says all of it
                return await self.session(found.session_id)
        raise NotFound(found.sentence)

    async def diagnose(self, mcp_session_id: str) -> Diagnosis:
        """Return what became of an `Mcp-Session-Id` or handle, and how often it was refused lately."""
        found = await diagnose(self._engine, mcp_session_id)
        refusal = self._engine.refusals.get(hash_secret(mcp_session_id))
        if refusal is None:
            return found
        often = "once" if refusal.times == 1 else f"{refusal.times:,} times"
        told = f" It was refused {often} lately, last to {refusal.address or 'an unknown address'}"
        told += "." if refusal.verdict is found.verdict else f": {refusal.sentence}"
        return found._replace(sentence=found.sentence + told, refused=refusal.times, last_refused_at=refusal.last_at)

    def refusals(self) -> list[Refusal]:
        """Return the session ids that were refused lately, the last one first."""
        return self._engine.refusals.latest()

    async def history(self, session_id: str) -> list[Transition]:
        """Return the states a session went through, oldest first, each with its cause."""
        return history_of(await self._record(session_id))

    async def initialize_params(self, session_id: str) -> dict[str, object] | None:
        """Return what the client sent with `initialize`: its info and capabilities; `None` in the newer era."""
        record = await self._record(session_id)
        if record.init is None:
            return None
        params: dict[str, object] = json.loads(record.init)
        return params

    async def clients(self) -> list[Session]:
        """Return the sessionless clients of the newer era, the last heard first."""
        found = [self._engine.describe(session) for session in self._engine.live(clients=True)]
        return sorted(found, key=lambda session: session.last_activity_at, reverse=True)

    # -- what a session holds ------------------------------------------------------------------

    async def events(self, session_id: str, query: EventQuery) -> EventPage:
        """Return events of a session's log."""
        return await self._engine.store.events.read((await self._record(session_id)).no, query)

    async def event(self, session_id: str, seq: int) -> Event:
        """Return one event.

        Raises:
            NotFound: It never was, or retention has dropped it.
        """
        event = await self._engine.store.events.get((await self._record(session_id)).no, seq)
        if event is None:
            raise NotFound(f"Session {session_id} keeps no event {seq}.")
        return event

    async def tail(self, session_id: str, after: int) -> Tail:
        """Follow a session's log; close the tail when done."""
        return self._engine.store.events.tail((await self._record(session_id)).no, after)

    async def keys(self, session_id: str) -> list[StoredKey]:
        """Return a session's stored keys by name."""
        return await self._engine.store.keys.list((await self._record(session_id)).no)

    async def key(self, session_id: str, name: str) -> StoredKey:
        """Return one stored key.

        Raises:
            NotFound: The session does not hold it.
        """
        stored = await self._engine.store.keys.get((await self._record(session_id)).no, name)
        if stored is None:
            raise NotFound(f"Session {session_id} holds no key {name!r}.")
        return stored

    async def keys_at(self, session_id: str, seq: int) -> KeysAt:
        """Return what the stored keys were directly after event `seq`; secrets without their value.

        Raises:
            NotFound: The session is not kept, or its log does not hold that event (any more).
        """
        return await keys_at(self._engine.store, await self._record(session_id), seq)

    async def calls_at(self, session_id: str, seq: int) -> CallsAt:
        """Return which requests were not answered directly after event `seq`.

        Raises:
            NotFound: The session is not kept, or its log does not hold that event (any more).
        """
        return await calls_at(self._engine.store, await self._record(session_id), seq)

    def streams(self, session_id: str) -> list[StreamInfo]:
        """Return the streams that are open right now."""
        live = self._engine.by_id.get(session_id)
        return [stream.describe() for stream in (live.streams or ())] if live is not None else []

    def resources(self, session_id: str) -> list[HeldResource]:
        """Return what a session holds open, in the order it was opened."""
        return self._engine.services.get(ResourceRegistry).held(session_id)

    async def errors(self, session_id: str | None = None) -> list[ErrorGroup]:
        """Return the newest errors of one session, or of all and of sessionless clients, grouped by code.

        At most `ERRORS_READ` are looked at.
        """
        if session_id is not None:
            query = EventQuery(errors_only=True, newest_first=True, limit=ERRORS_READ)
            page = await self.events(session_id, query)
            return group_failures(FailedCall(event, session_id) for event in page.events)
        query_all = ServerLogQuery(errors_only=True, limit=ERRORS_READ, with_payloads=True)
        found = await self._engine.store.events.read_all(query_all)
        return group_failures(FailedCall(each.event, each.session_id) for each in found.events)

    def in_flight(self, session_id: str) -> list[InFlight]:
        """Return the requests that are not answered yet, oldest first."""
        live = self._engine.by_id.get(session_id)
        return [call.describe() for call in (live.calls or {}).values()] if live is not None else []

    async def last_error_at(self, session_id: str) -> float | None:
        """Return when an answer was last an error, as far as the log goes back."""
        query = EventQuery(errors_only=True, limit=1, newest_first=True, payload_up_to=0)
        events = (await self.events(session_id, query)).events
        return events[0].at if events else None

    async def initialize_result(self, session_id: str) -> dict[str, object] | None:
        """Return what the server answered to `initialize`; `None` where there was none, or the log has dropped it."""
        return await initialize_result(self._engine.store.events, (await self._record(session_id)).no)

    async def latest_meta(self, session_id: str) -> dict[str, object] | None:
        """Return what the latest request of a 2026-07-28 client said about itself; `None` where none did."""
        return await latest_meta(self._engine.store.events, (await self._record(session_id)).no)

    async def latency(self, session_id: str) -> tuple[float | None, float | None]:
        """Return p50 and p95 in milliseconds of the latest answers; `None` without any."""
        query = EventQuery(
            kinds=(EventKind.RESPONSE, EventKind.ERROR),
            direction=Direction.FROM_SERVER,
            limit=_LATENCY_SAMPLE,
            newest_first=True,
            payload_up_to=0,
        )
        page = await self.events(session_id, query)
        took = sorted(event.duration_us / 1000 for event in page.events if event.duration_us is not None)
        if not took:
            return None, None
        return took[len(took) // 2], took[min(len(took) - 1, int(len(took) * 0.95))]

    # -- broadcasts and audit ------------------------------------------------------------------

    def audience_of(self, query: Filter, exclude: Filter) -> list[LiveSession]:
        """Return whom a broadcast addresses: live sessions, and sessionless clients heard lately or listening."""
        now = time.time()

        def is_chosen(session: LiveSession) -> bool:
            return query.matches(session, now) and (exclude.is_empty or not exclude.matches(session, now))

        def is_near(session: LiveSession) -> bool:
            return bool(session.streams) or now - session.record.last_activity_at < _CLIENT_WINDOW

        sessions = [s for s in self._engine.live() if is_chosen(s)]
        return sessions + [s for s in self._engine.live(clients=True) if is_near(s) and is_chosen(s)]

    async def audit(
        self,
        *,
        limit: int = 50,
        before: int | None = None,
        actor: str | None = None,
        action: str | None = None,
        target: str | None = None,
        matching: Filter | None = None,
    ) -> list[AuditEntry]:
        """Return operators' actions, newest first."""
        return await self._engine.store.audit.query(
            limit=limit, before=before, actor=actor, action=action, target=target, matching=matching
        )

    async def audit_entry(self, action_id: str) -> AuditEntry:
        """Return one action.

        Raises:
            NotFound: There is no such action.
        """
        entry = await self._engine.store.audit.get(action_id)
        if entry is None:
            raise NotFound(f"No action {action_id} is recorded.")
        return entry

    async def results(
        self, action_id: str, *, result: str | None = None, after: str = "", limit: int = 100
    ) -> list[tuple[str, str]]:
        """Return what an action did to sessions, `(session id, result)` by session id, after the one named."""
        return await self._engine.store.audit.results(action_id, result=result, after=after, limit=limit)

    async def result_counts(self, action_id: str) -> dict[str, int]:
        """Return how many sessions an action had each result for."""
        return await self._engine.store.audit.result_counts(action_id)

    async def broadcasts(
        self, *, limit: int = 50, before: str | None = None, group: str | None = None
    ) -> list[Broadcast]:
        """Return broadcasts, newest first; `group` chooses what its members sent, `""` what operators did."""
        return await self._engine.store.broadcasts.list(limit=limit, before=before, group=group)

    async def broadcast(self, broadcast_id: str) -> Broadcast:
        """Return one broadcast with its figures.

        Raises:
            NotFound: There is no such broadcast.
        """
        found = await self._engine.store.broadcasts.get(broadcast_id)
        if found is None:
            raise NotFound(f"Broadcast {broadcast_id} is not known here.")
        return found

    async def receipts(
        self, broadcast_id: str, *, status: DeliveryStatus | None = None, limit: int = 1_000, after: str = ""
    ) -> list[Receipt]:
        """Return what became of each recipient."""
        return await self._engine.store.broadcasts.receipts(broadcast_id, status=status, limit=limit, after=after)

    async def receipts_of(self, broadcast_id: str, session_ids: Sequence[str]) -> list[Receipt]:
        """Return what became of some recipients."""
        return await self._engine.store.broadcasts.receipts_of(broadcast_id, session_ids)

    async def last_trial(self, actor: str) -> Session | None:
        """Return the live session an operator tried a broadcast on last, or one of the same client in its place."""
        session_id = await self._engine.store.broadcasts.last_trial(actor)
        record = await self._engine.find_record(session_id) if session_id is not None else None
        if record is None:
            return None
        live = self._engine.by_id.get(record.id)
        if live is None:
            same = _who(record)
            alike = (s for s in self._engine.by_id.values() if _who(s.record) == same and s.early_end is None)
            live = max(alike, key=lambda session: session.record.last_activity_at, default=None)
        return self._engine.describe(live) if live is not None else None

    # -- everything at once --------------------------------------------------------------------

    def calls(self) -> list[FlyingCall]:
        """Return every request that is not answered yet, of both eras, oldest first."""
        return self._overall.calls()

    def totals(self) -> Totals:
        """Return what was answered since the start."""
        return self._engine.meter.totals

    def trends(self, wanted: Range) -> Trends:
        """Return what the charts of a range show; the same object for a few seconds."""
        return self._overall.trends(wanted)

    def health(self) -> Health:
        """Return the state of the process and its store."""
        return self._overall.health()

    def limits(self) -> tuple[LimitState, ...]:
        """Return every limit in force, how near somebody is to it, and how often it was reached."""
        return self._overall.limits()

    def trimmed_logs(self) -> int:
        """Return how many live sessions have reached a bound of their log and dropped their oldest events."""
        return sum(1 for session in self._engine.live() if session.record.trimmed_seq)

    def vitals(self) -> Vitals:
        """Return memory, loop lag, and the streams that ended badly or look alive and are not."""
        return self._overall.vitals()

    async def _record(self, session_id: str) -> SessionRecord:
        record = await self._engine.find_record(session_id)
        if record is None:
            raise NotFound(f"Session {session_id} is not known here. It may have ended too long ago to be kept.")
        return record


def _who(record: SessionRecord) -> tuple[SessionKind, str, str | None]:
    """Return what tells a client that has come back from others."""
    return record.kind, record.client_name, record.principal_key
