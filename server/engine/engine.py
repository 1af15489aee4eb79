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
from ..errors import StoreUnavailable, SwitchroomError
from ..ids import hash_secret, new_reference
from ..models import EventKind, Session, SessionKind, SessionRecord, SessionState
from ..settings import Settings
from ..store.base import Store
from .admission import Admission
from .calls import Call, EarlyAnswer
from .session import LiveSession, describe, forget_outcome

logger = logging.getLogger(__name__)

SESSION_ENDED = -32001
"""JSON-RPC error code of a call that its session's end cut short, and of every later request."""

_SAVED_AT_ONCE = 200
"""A larger lot would block the loop and make appends wait: a row costs 5 µs here and 20 µs in the writer."""

_CONNECTION_KINDS = (SessionKind.SSE, SessionKind.STDIO)
"""A session of these is its connection, so it ends with the process."""

EndHook = Callable[[LiveSession], Awaitable[None]]


class Engine:
    """Owns every live session. For the event loop's thread only."""

    def __init__(self, settings: Settings, store: Store, bus: ChangeBus) -> None:
        self.settings = settings
        self.store = store
        self.bus = bus
        self.worker_id = "w-" + new_reference()[:6].lower()
        self.started_at = time.time()
        self.is_running = False
        self.is_stopping = False
        self.admission = Admission(settings)
        self.on_end: list[EndHook] = []
        """Run once for every session that ends, whatever ended it."""
        self.release: Callable[[LiveSession], Awaitable[None]] | None = None
        """How the transport frees what it keeps in `LiveSession.resident`."""
        self.on_written: Callable[[LiveSession, int], None] | None = None
        """Told the `seq` of each standalone event that was written to a client."""
        self.on_tick: list[Callable[[], None]] = []
        """Called about once a second."""
        self.by_id: dict[str, LiveSession] = {}
        self._by_hash: dict[bytes, LiveSession] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._draining: asyncio.Task[None] | None = None
        self._overdue: set[Call] = set()
        """Calls that were answered for while their handlers went on."""
        self.request_count = 0

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the store and load the sessions that had not ended.

        Raises:
            StartupError: The store cannot be used.
        """
        await self.store.open()
        now = time.monotonic()
        for record in await self.store.sessions.load_live():
            _renew_epoch(record)
            if record.kind in _CONNECTION_KINDS:
                _lost_with_its_connection(record)
                self.store.sessions.save(record).add_done_callback(forget_outcome)
                continue
            if record.state is SessionState.INITIALIZED and record.kind is SessionKind.STREAMABLE_HTTP:
                record.state = SessionState.DETACHED
            # Idle from now on: while the server was away no client could be heard.
            self._keep(LiveSession(record, self.store.events, self.bus, now))
        self.is_running, self.is_stopping, self._draining = True, False, None

    async def stop(self) -> None:
        """Answer what is in flight, end streams, mark sessions detached and close the store."""
        await self.drain()
        self.is_running = False
        await self._end_tasks()
        if self.release is not None:
            in_use = [session for session in self.by_id.values() if session.resident is not None]
            await asyncio.gather(*(self.release(session) for session in in_use), return_exceptions=True)
        with contextlib.suppress(StoreUnavailable):
            await self.flush()
        await self.store.close()
        self.by_id.clear()
        self._by_hash.clear()

    async def drain(self) -> None:
        """Let calls in flight finish for a second, answer the others, and end every stream.

        Runs once; whoever calls it again waits for the same end.
        """
        self.is_stopping = True
        if self._draining is None:
            self._draining = asyncio.ensure_future(self._drain())
        await asyncio.shield(self._draining)

    async def _drain(self) -> None:
        for session in list(self.by_id.values()):
            session.close_idle_streams()
        await _until(self._has_no_calls, within=1.0)
        answer = EarlyAnswer(SESSION_ENDED, "The server is shutting down; repeat this request after reconnecting.")
        for session in list(self.by_id.values()):
            session.each_call(lambda call: self._abort(call, answer, grace=0.3))
        if not await _until(self._has_no_calls, within=1.0):
            logger.warning("some calls did not end in time at shutdown")
        await self._interrupt_all(answer)
        # Streams that carry an answer end by themselves once it is written.
        await _until(lambda: not any(session.streams for session in self.by_id.values()), within=0.3)
        for session in list(self.by_id.values()):
            for stream in list(session.streams or ()):
                stream.close()

    async def _interrupt_all(self, answer: EarlyAnswer) -> None:
        """Stop the handlers that ignored their cancellation."""
        for session in list(self.by_id.values()):
            session.each_call(self._overdue.add)
        for call in self._overdue:
            call.interrupt(answer)
        await _until(lambda: all(call.task is None for call in self._overdue), within=0.5)

    def _has_no_calls(self) -> bool:
        return not any(session.calls for session in self.by_id.values())

    async def _end_tasks(self) -> None:
        for task in (tasks := list(self._tasks)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    def spawn(self, work: Awaitable[object]) -> None:
        """Run `work` in the background until the engine stops; its failure is logged."""
        task: asyncio.Task[object] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, SwitchroomError):
            logger.warning("background work failed: %s", error.message)
        else:
            logger.error("background work failed", exc_info=error)

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
        now = time.time()
        record = SessionRecord(
            no=self.store.sessions.allocate(),
            id=new_reference(),
            kind=kind,
            state=state,
            server=server,
            worker_id=self.worker_id,
            created_at=now,
            last_activity_at=now,
            sid_hash=hash_secret(secret) if secret is not None else None,
            sid_prefix=secret[:8] if secret is not None else "",
            principal=principal,
            principal_key=principal_key,
            address=address,
        )
        session = LiveSession(record, self.store.events, self.bus, time.monotonic())
        self.store.sessions.save(record).add_done_callback(forget_outcome)
        self._keep(session)
        return session

    def _keep(self, session: LiveSession) -> None:
        record = session.record
        self.by_id[record.id] = session
        if record.sid_hash is not None:
            self._by_hash[record.sid_hash] = session
        if record.kind is not SessionKind.CLIENT:
            self.admission.opened(record.address, record.principal_key)
        session.touch()
        session.is_dirty = False

    def find(self, sid_hash: bytes) -> LiveSession | None:
        """Return the live session with that secret's hash."""
        return self._by_hash.get(sid_hash)

    async def find_ended(self, sid_hash: bytes) -> Session | None:
        """Return the ended session with that secret's hash, for the reason it ended."""
        record = await self.store.sessions.find(sid_hash=sid_hash)
        return describe(record) if record is not None and not record.state.is_live else None

    async def find_record(self, session_id: str) -> SessionRecord | None:
        """Return the record with that public reference, live or ended."""
        live = self.by_id.get(session_id)
        return live.record if live is not None else await self.store.sessions.find(session_id=session_id)

    def live(self, *, clients: bool = False) -> Iterable[LiveSession]:
        """Return the live sessions, or the sessionless clients of the newer era."""
        return [s for s in self.by_id.values() if (s.record.kind is SessionKind.CLIENT) is clients]

    def describe(self, session: LiveSession) -> Session:
        """Return the session as it is now."""
        return session.snapshot(self.settings.idle_seconds, self.settings.lifetime_seconds)

    def save(self, session: LiveSession) -> asyncio.Future[None]:
        """Queue the session's record, in order with its events."""
        session.is_dirty = False
        return self.store.sessions.save(session.record)

    def set_state(self, session: LiveSession, state: SessionState, cause: str) -> None:
        """Move a session to another state of its life, with the cause in its log."""
        before = session.record.state
        session.record.state = state
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
        message = end_message(state, code, reason)
        data = {"reason": reason or code, "code": code, "sessionId": record.id}
        session.early_end = EarlyAnswer(SESSION_ENDED, message, data)
        if record.sid_hash is not None:
            self._by_hash.pop(record.sid_hash, None)
        record.ended_at, record.end_code, record.end_by, record.end_reason = time.time(), code, by, reason
        record.state = state
        if record.kind is not SessionKind.CLIENT:
            self.admission.closed(record.address, record.principal_key)
        await self._wind_down(session, session.early_end)
        detail = json.dumps({"to": state.value, "cause": code, "by": by, "reason": reason})
        session.note(EventKind.LIFECYCLE, state.value, detail)
        session.touch()
        self.by_id.pop(record.id, None)
        saved = self.save(session)
        for hook in self.on_end:
            await _contained(hook, session)
        await saved
        return True

    async def _wind_down(self, session: LiveSession, answer: EarlyAnswer) -> None:
        grace = self.settings.cancel_grace_seconds
        session.each_call(lambda call: self._abort(call, answer, grace=grace))
        for waiting in list((session.pending or {}).values()):
            waiting.fail(answer)
        session.close_idle_streams()
        for call in list((session.calls or {}).values()):
            await call.wait_settled(grace + 0.5)
        # The other streams carry the answers just given, and end by themselves once those are written.
        await _until(lambda: all(stream.is_closed for stream in session.streams or ()), within=1.0)
        for stream in list(session.streams or ()):
            stream.close()
        if session.resident is not None and self.release is not None:
            await self.release(session)

    def abort(self, call: Call, answer: EarlyAnswer) -> bool:
        """Cancel one call; it is answered after a grace period even if its handler goes on."""
        return self._abort(call, answer, grace=self.settings.cancel_grace_seconds)

    def _abort(self, call: Call, answer: EarlyAnswer, *, grace: float) -> bool:
        if not call.cancel(answer):
            return False

        def answer_for_it() -> None:
            if not call.is_settled and call.on_abort is not None:
                self._overdue = {other for other in self._overdue if other.task is not None} | {call}
                call.on_abort(answer)

        asyncio.get_running_loop().call_later(grace, answer_for_it)
        return True

    # -- housekeeping --------------------------------------------------------------------------

    async def flush(self) -> None:
        """Save the counters of every session that changed since the last time, some at a time.

        Raises:
            StoreUnavailable: The store did not take them; they are saved the next time.
        """
        dirty = [session for session in self.by_id.values() if session.is_dirty]
        for start in range(0, len(dirty), _SAVED_AT_ONCE):
            lot = dirty[start : start + _SAVED_AT_ONCE]
            for session in lot:
                session.is_dirty = False
            try:
                await self.store.sessions.save_many([session.record for session in lot])
            except StoreUnavailable:
                for session in lot:
                    session.is_dirty = True
                raise


def _lost_with_its_connection(record: SessionRecord) -> None:
    record.state, record.end_code = SessionState.CLOSED, "disconnect"
    record.ended_at, record.end_reason = time.time(), "the server restarted"


def _renew_epoch(record: SessionRecord) -> None:
    """Begin a new epoch, so that no new event takes an id that a client may hold from before a power cut."""
    record.epoch += 1
    first = record.last_seq + 1
    kept = record.epochs if record.epochs[-1][1] < first else record.epochs[:-1]
    record.epochs = [*kept, (record.epoch, first)]


def end_message(state: SessionState, code: str, reason: str) -> str:
    """Return what a client is told about the end of its session."""
    causes = {
        "client": "closed by its client",
        "idle": "expired after being idle too long",
        "lifetime": "expired at the end of its lifetime",
        "operator": "expired by an operator",
        "limit": "expired by a limit",
        "refused": "refused at its handshake",
        "disconnect": "closed when its client disconnected",
    }
    cause = causes.get(code, state.value)
    because = f": {reason}" if reason else ""
    return f"This session was {cause}{because}. Send initialize without Mcp-Session-Id to start a new one."


async def _until(condition: Callable[[], bool], *, within: float) -> bool:
    """Wait until `condition` holds; `False` when it does not after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


async def _contained(hook: EndHook, session: LiveSession) -> None:
    try:
        await hook(session)
    except Exception:
        logger.exception("cleaning up after session %s failed", session.record.id)
