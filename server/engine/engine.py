"""The sessions of this worker: opening, finding, reviving and ending them.

Every session that has not ended has a small record in memory; what a request needs beyond that is
built when the request comes and dropped when the session is quiet. The store holds the truth, so a
restart loads the records and goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from ..bus import ChangeBus
from ..errors import StoreDamaged, StoreUnavailable
from ..ids import new_reference
from ..models import EndedId, EventKind, Gauges, Session, SessionKind, SessionRecord, SessionState, note_transition
from ..sealing import KeyRing
from ..settings import Settings
from ..store.base import Store
from .admission import Admission
from .background import Background
from .blocks import Blocks
from .calls import Call, EarlyAnswer
from .ending import SESSION_ENDED, Aborts, EndHook, contained, explain_end, note_end
from .groups import Coordination
from .keeping import Keeping
from .limits import LimitCounter
from .meter import Meter
from .opening import new_record
from .refusals import Refusals
from .restoring import load_live
from .roster import Roster
from .saving import save_changed
from .services import Services
from .session import LiveSession, forget_outcome
from .streamwatch import StreamWatch
from .timeouts import TimeoutPolicy, Timeouts
from .vitals import LoopLag

logger = logging.getLogger(__name__)


class Engine:
    """Owns every live session. For the event loop's thread only."""

    def __init__(self, settings: Settings, store: Store, bus: ChangeBus) -> None:
        self.settings = settings
        self.store = store
        self.bus = bus
        self.ring = KeyRing.of(settings.secret_keys.get_secret_value() if settings.secret_keys is not None else None)
        """Seals secrets: stored values, and answers that a client may resume."""
        self._keeping = Keeping(settings.payloads == "full", settings.max_payload_bytes)
        self.worker_id = "w-" + new_reference()[:6].lower()
        self.started_at = time.time()
        self.is_running = False
        self.is_stopping = False
        self.unread = ""
        """What could not be read at the start, so that no session id can be judged; empty when all was."""
        self.limit_hits = LimitCounter()
        self.admission = Admission(settings, self.limit_hits)
        self.gauges = Gauges()
        """As the sweeper counted them last, two seconds ago at most."""
        self.meter = Meter(store.figures, lambda: self.gauges)
        self.loop_lag = LoopLag()
        self.stream_watch = StreamWatch()
        self.refusals = Refusals()
        self._timeouts = TimeoutPolicy(settings)
        self.services = Services()
        """What tools find beside the engine."""
        self.groups = Coordination(settings, store)
        self.blocks = Blocks(store)
        self.on_end: list[EndHook] = [self.groups.forget]
        """Run once for every session that ends, whatever ended it."""
        self.release: Callable[[LiveSession], Awaitable[None]] | None = None
        """How the transport frees what it keeps in `LiveSession.resident`."""
        self.on_written: Callable[[LiveSession, int], None] | None = None
        """Told the `seq` of each standalone event that was written to a client."""
        self.on_tick: list[Callable[[], None]] = [self.blocks.expire]
        """Called about once a second."""
        self.on_drain: list[Callable[[], None]] = []
        """Called when the server begins to stop."""
        self._roster = Roster()
        self.by_id = self._roster.by_id
        self._background = Background()
        self._draining: asyncio.Task[None] | None = None
        self._aborts = Aborts()
        self._endings: set[asyncio.Task[None]] = set()

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the store and load the sessions that had not ended.

        Raises:
            StartupError: The store cannot be used.
        """
        await self.store.open()
        self.unread = ""
        await self._load("live sessions", self._load_live)
        await self._load("figures", self.meter.load)
        self.loop_lag.start()
        await self._load("groups", lambda: self.groups.load(self.by_id))
        await self._load("blocks", self.blocks.load)
        self.is_running, self.is_stopping, self._draining = True, False, None

    async def _load(self, what: str, load: Callable[[], Awaitable[None]]) -> None:
        """Read one part of the store; where damage has taken it, the server starts all the same."""
        try:
            await load()
        except StoreDamaged as error:
            logger.error("the %s could not be read: %s", what, error.message)
            if what != "figures":
                self.unread = what

    async def _load_live(self) -> None:
        now = time.monotonic()
        for record in await load_live(self.store):
            # Idle from now on: while the server was away no client could be heard.
            self._keep(LiveSession(record, self.store.events, self.bus, now, self._keeping))

    async def stop(self) -> None:
        """Answer what is in flight, end streams, mark sessions detached and close the store."""
        await self.drain()
        self.is_running = False
        self.loop_lag.stop()
        self.meter.flush()
        if self._endings:
            await asyncio.wait(self._endings, timeout=self.settings.cancel_grace_seconds + 2)
        await self._background.end()
        if self.release is not None:
            in_use = [session for session in self.by_id.values() if session.resident is not None]
            await asyncio.gather(*(self.release(session) for session in in_use), return_exceptions=True)
        with contextlib.suppress(StoreUnavailable):
            await self.flush()
        await self.store.close()
        self._roster.clear()
        self.groups.clear()

    async def drain(self) -> None:
        """Let calls in flight finish for a second, answer the others, and end every stream.

        Runs once; whoever calls it again waits for the same end.
        """
        self.is_stopping = True
        if self._draining is None:
            for hurry in self.on_drain:
                hurry()
            self._draining = asyncio.ensure_future(self._aborts.drain(lambda: list(self.by_id.values())))
        await asyncio.shield(self._draining)

    def spawn(self, work: Awaitable[object]) -> None:
        """Run `work` in the background until the engine stops; its failure is logged."""
        self._background.spawn(work)

    # -- opening and finding -------------------------------------------------------------------

    def open(
        self,
        kind: SessionKind,
        secret: str | None,
        *,
        server: str,
        principal: str | None = None,
        principal_key: str | None = None,
        address: str = "",
        state: SessionState = SessionState.INITIALIZING,
    ) -> LiveSession:
        """Create a session and queue its record.

        Raises:
            LimitReached: The server, the principal or the address has too many sessions.
            Overloaded: The store's queue is full.
        """
        if kind is not SessionKind.CLIENT:
            self.admission.admit(address, principal_key)
        record = new_record(
            self.store.sessions.allocate(),
            kind,
            secret,
            server=server,
            worker_id=self.worker_id,
            principal=principal,
            principal_key=principal_key,
            address=address,
            state=state,
        )
        if kind is not SessionKind.CLIENT:
            self.meter.totals.opened += 1
        session = LiveSession(record, self.store.events, self.bus, time.monotonic(), self._keeping)
        self.store.sessions.save(record).add_done_callback(forget_outcome)
        self._keep(session)
        return session

    def _keep(self, session: LiveSession) -> None:
        record = session.record
        self._roster.add(session)
        if record.kind is not SessionKind.CLIENT:
            self.admission.opened(record.address, record.principal_key)
        session.touch()
        session.is_dirty = False

    def find(self, sid_hash: bytes) -> LiveSession | None:
        """Return the live session with that secret's hash."""
        return self._roster.find(sid_hash)

    async def find_record(self, session_id: str) -> SessionRecord | None:
        """Return the record with that public reference, live or ended."""
        return self.record(session_id) or await self.store.sessions.find(session_id=session_id)

    def record(self, session_id: str) -> SessionRecord | None:
        """Return the record of a session that is live, or whose end the store does not have yet."""
        return self._roster.record(session_id)

    def live(self, *, clients: bool = False) -> Iterable[LiveSession]:
        """Return the live sessions, or the sessionless clients of the newer era."""
        return self._roster.live(clients=clients)

    def describe(self, session: LiveSession) -> Session:
        """Return the session as it is now."""
        return session.snapshot(self.timeouts(session))

    def timeouts(self, session: LiveSession) -> Timeouts:
        """Return the limits in force for a session."""
        return self._timeouts.of(session.record, session)

    def save(self, session: LiveSession) -> asyncio.Future[None]:
        """Queue the session's record, in order with its events."""
        session.is_dirty = False
        return self.store.sessions.save(session.record)

    def set_state(self, session: LiveSession, state: SessionState, cause: str) -> None:
        """Move a session to another state of its life, with the cause in its log."""
        before = session.record.state
        session.record.state = state
        if session.record.kind is not SessionKind.CLIENT and state is not before:
            note_transition(session.record, time.time(), cause)
        payload = json.dumps({"from": before.value, "to": state.value, "cause": cause})
        session.note(EventKind.LIFECYCLE, state.value, payload)
        self.save(session).add_done_callback(forget_outcome)

    def adopt(self, session: LiveSession) -> None:
        """Take over a session that no worker has held since a restart."""
        session.record.worker_id = self.worker_id
        if session.record.state is SessionState.DETACHED:
            self.set_state(session, SessionState.INITIALIZED, "revived after a restart")
        else:
            self.save(session).add_done_callback(forget_outcome)

    # -- ending --------------------------------------------------------------------------------

    async def end(
        self, session: LiveSession, state: SessionState, code: str, *, by: str | None = None, reason: str = ""
    ) -> bool:
        """End a session: refuse its id, answer its calls, close its streams, save the reason.

        Returns whether this call ended it; `False` when it had ended already.
        """
        if session.early_end is not None:
            return False
        record = session.record
        note_end(record, state, code, by=by, reason=reason)
        session.early_end = EarlyAnswer(SESSION_ENDED, *explain_end(EndedId.of(record)))
        self._roster.refuse(record)
        if record.kind is not SessionKind.CLIENT:
            self.admission.closed(record.address, record.principal_key)
        detail = json.dumps({"to": state.value, "cause": code, "by": by, "reason": reason})
        ending = asyncio.ensure_future(self._carry_out(session, session.early_end, detail))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        # Carried out even if whoever asked for it does not wait: half an end would be undone by a restart.
        await asyncio.shield(ending)
        return True

    async def _carry_out(self, session: LiveSession, answer: EarlyAnswer, detail: str) -> None:
        record = session.record
        await self._aborts.wind_down(session, answer, self.settings.cancel_grace_seconds)
        if session.resident is not None and self.release is not None:
            await self.release(session)
        session.note(EventKind.LIFECYCLE, record.state.value, detail)
        session.touch()
        self._roster.remove(record)
        saved = self.save(session)
        for hook in self.on_end:
            await contained(hook, session)
        await saved
        self._roster.forget(record)

    def answered(self, session: LiveSession, call: Call, is_error: bool) -> None:
        """Count the answer of a call: for its session, and for the charts."""
        session.count_answer(is_error)
        self.meter.answered(call, is_modern=session.record.is_modern, is_error=is_error)

    async def end_connection(self, session: LiveSession) -> bool:
        """End a session that was its connection, which is over: its client left, or the server stops."""
        return await self.end(session, SessionState.CLOSED, "shutdown" if self.is_stopping else "disconnect")

    def abort(self, call: Call, answer: EarlyAnswer) -> bool:
        """Cancel one call; it is answered after a grace period even if its handler goes on."""
        return self._aborts.abort(call, answer, self.settings.cancel_grace_seconds)

    # -- housekeeping --------------------------------------------------------------------------

    async def flush(self) -> None:
        """Save the counters of every session that changed since the last time, some at a time.

        Raises:
            StoreUnavailable: The store did not take them; they are saved the next time.
        """
        await save_changed(self.store, self.by_id.values())
