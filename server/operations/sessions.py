"""Ending sessions, cancelling calls, closing streams."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple, TypedDict, Unpack

from ..directory.directory import Directory
from ..engine.calls import Call, EarlyAnswer
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..errors import AlreadyEnded, Conflict, InvalidInput, NotFound, StoreUnavailable, Unsupported
from ..filters import Filter
from ..models import Actor, EventKind, SessionKind, SessionState
from .actions import Actions
from .bulk import BulkRunner, Job, Outcome, Plan
from .results import CancelResult, ExpireResult

MAX_REASON = 500
GROWTH = 1.1
"""An action by filter is aborted when it matches this much more than the operator saw."""

_NO_SESSION = "A client of the 2026-07-28 era has no session to expire; close its listen streams instead."

REQUEST_CANCELLED = -32800


def check_reason(reason: str) -> str:
    """Return the reason without surrounding space.

    Raises:
        InvalidInput: It is empty or too long.
    """
    text = reason.strip()
    if not text:
        raise InvalidInput("Give a reason: it is written to the audit log and told to the clients.", field="reason")
    if len(text) > MAX_REASON:
        raise InvalidInput(f"The reason may have {MAX_REASON} characters; this has {len(text)}.", field="reason")
    return text


class Chosen(TypedDict, total=False):
    """Whom an action is about, as its caller says it; see `Choice`."""

    session_ids: Sequence[str]
    query: Filter | None
    exclude: Sequence[str]
    expected: int | None
    continues: str


class Choice(NamedTuple):
    """Whom an action is about: sessions by id, or all live ones that a filter matches."""

    session_ids: Sequence[str] = ()
    query: Filter | None = None
    exclude: Sequence[str] = ()
    expected: int | None = None
    """How many the operator saw; by filter only."""
    continues: str = ""
    """The job of which this is the rest."""

    def check(self) -> None:
        """Raise `InvalidInput` when it names nobody."""
        if self.query is None and not self.session_ids:
            raise InvalidInput("Name the sessions, or give a filter.")

    @property
    def target(self) -> str:
        """What the audit log says it was about."""
        if self.query is not None:
            excepted = f" except {', '.join(sorted(set(self.exclude))[:25])}" if self.exclude else ""
            return (self.query.text or "(all live sessions)") + excepted
        if self.continues:
            return f"the rest of job {self.continues}: {len(self.session_ids):,} sessions"
        shown, more = ", ".join(self.session_ids[:25]), len(self.session_ids) - 25
        return shown if more <= 0 else f"{shown} and {more:,} more"


class _Work(NamedTuple):
    """What is done to each of the chosen sessions."""

    verb: str
    participle: str
    on_one: Callable[[Job, Actor, str, str], Awaitable[Outcome]]


class SessionVerbs:
    """What operators do to sessions."""

    def __init__(self, engine: Engine, directory: Directory, actions: Actions, bulk: BulkRunner) -> None:
        self._engine = engine
        self._directory = directory
        self._actions = actions
        self._bulk = bulk

    async def expire(self, actor: Actor, reason: str, **chosen: Unpack[Chosen]) -> ExpireResult:
        """End sessions, by id or by filter, and wait for the end of it; see `start_expiring`.

        Raises:
            NotFound: The only session named was never known.
        """
        job = await self.start_expiring(actor, reason, **chosen)
        await job.ended.wait()
        return expire_result(job)

    async def start_expiring(
        self, actor: Actor, reason: str, *, per_second: float | None = None, **chosen: Unpack[Chosen]
    ) -> Job:
        """Begin to end sessions, by id or by filter; the job goes on by itself.

        Args:
            per_second: How many sessions to end in a second; `None` means the setting.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The reason is empty, neither ids nor a filter are given, or the pace is out of bounds.
            Conflict: By filter, it matches over a tenth more sessions than `expected`.
        """
        work = _Work("expire", "expired", self._expire_one)
        return await self._start(work, actor, reason, Choice(**chosen), per_second)

    async def start_cancelling(
        self, actor: Actor, reason: str, *, per_second: float | None = None, **chosen: Unpack[Chosen]
    ) -> Job:
        """Begin to cancel every call in flight of the chosen sessions; the sessions stay.

        Raises:
            Forbidden, InvalidInput, Conflict: As for `start_expiring`.
        """
        work = _Work("cancel_calls", "cancelled", self._cancel_all)
        return await self._start(work, actor, reason, Choice(**chosen), per_second)

    async def _start(self, work: _Work, actor: Actor, reason: str, choice: Choice, per_second: float | None) -> Job:
        choice.check()

        def plan(job: Job) -> Plan:
            text = check_reason(reason)
            return Plan(self._choose(choice, work.participle), partial(work.on_one, job, actor, text))

        return await self._bulk.start(actor, work.verb, choice.target, reason.strip(), plan, per_second=per_second)

    def _choose(self, choice: Choice, participle: str) -> list[str]:
        excluded = frozenset(choice.exclude)
        if choice.query is None:
            return [each for each in dict.fromkeys(choice.session_ids) if each not in excluded]
        matching = self._directory.matching_live(choice.query)
        chosen = [session.record.id for session in matching if session.record.id not in excluded]
        if choice.expected is not None and len(chosen) > choice.expected * GROWTH:
            raise Conflict(
                f"The filter now matches {len(chosen):,} sessions instead of {choice.expected:,}: nothing was "
                f"{participle}. Look again and confirm the new number.",
                matched=len(chosen),
            )
        return chosen

    async def _expire_one(self, job: Job, actor: Actor, reason: str, session_id: str) -> Outcome:
        session = self._engine.by_id.get(session_id)
        if session is None or session.record.kind is SessionKind.CLIENT:
            record = await self._engine.find_record(session_id)
            if record is not None and record.kind is SessionKind.CLIENT:
                return Outcome("failed", _NO_SESSION)
            known = Outcome("nothing", "already ended")
            return known if record is not None else Outcome("failed", f"Session {session_id} is not known here.")
        calls, streams = session.in_flight, session.open_streams
        session.note(EventKind.OPERATOR, "expire", json.dumps({"by": actor.name, "reason": reason}))
        try:
            ended = await self._engine.end(session, SessionState.EXPIRED, "operator", by=actor.name, reason=reason)
        except StoreUnavailable:
            ended = True  # it is over for its client; its row is queued and follows
        if not ended:
            return Outcome("nothing", "already ended")
        job.counts.update(calls_ended=calls, streams_closed=streams)
        return Outcome("done", "expired")

    async def _cancel_all(self, job: Job, actor: Actor, reason: str, session_id: str) -> Outcome:
        session = self._engine.by_id.get(session_id)
        if session is None:
            return Outcome("nothing", "has ended")
        calls = session.open_calls()
        if not calls:
            return Outcome("nothing", "no call in flight")
        outcomes = Counter(await asyncio.gather(*(self._cancel_call(actor, session, call, reason) for call in calls)))
        job.counts.update(outcomes)
        words = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in outcomes.most_common())
        return Outcome("done" if outcomes["cancelled"] + outcomes["answered_by_leg"] else "nothing", words)

    async def _cancel_call(self, actor: Actor, session: LiveSession, call: Call, reason: str) -> str:
        """Cancel one call and return what became of it."""
        answer = EarlyAnswer(REQUEST_CANCELLED, f"Cancelled by an operator: {reason}", {"reason": reason})
        session.note(
            EventKind.OPERATOR, "cancel", json.dumps({"by": actor.name, "reason": reason, "request_id": call.key})
        )
        return await self._outcome_of(call) if self._engine.abort(call, answer) else "already_answered"

    # -- one call, one stream ------------------------------------------------------------------

    def _live(self, session_id: str) -> LiveSession:
        session = self._engine.by_id.get(session_id)
        if session is None:
            raise AlreadyEnded(f"Session {session_id} has ended or is not known here.")
        return session

    async def cancel(self, actor: Actor, session_id: str, request_id: str, reason: str) -> CancelResult:
        """Cancel one request in flight; `request_id` is the JSON-RPC id as JSON text.

        Raises:
            Forbidden: The actor may not act.
            AlreadyEnded: The session has ended.
            InvalidInput: The reason is empty.
        """
        async with self._actions.run(actor, "cancel", f"{session_id} {request_id}", reason.strip()) as action:
            text = check_reason(reason)
            session = self._live(session_id)
            call = _find_call(session, request_id)
            action.outcome, action.detail = "refused", {"result": "already_answered"}
            if call is None:
                return CancelResult(action.id, "already_answered")
            outcome = await self._cancel_call(actor, session, call, text)
            if outcome == "already_answered":
                return CancelResult(action.id, outcome)
            action.outcome, action.detail = "done", {"result": outcome, "method": call.method}
            return CancelResult(action.id, outcome)

    async def _outcome_of(self, call: Call) -> str:
        grace = self._engine.settings.cancel_grace_seconds
        if await call.wait_settled(grace * 0.95):
            return "cancelled"
        return "answered_by_leg" if await call.wait_settled(grace) else "still_running"

    async def close_stream(self, actor: Actor, session_id: str, stream: int, reason: str) -> bool:
        """End an open stream; its client may reconnect and resume. `False` when none was open.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The reason is empty.
            AlreadyEnded: The session has ended.
            Unsupported: The stream is the session itself (HTTP+SSE, stdio), or its client could not resume it.
        """
        async with self._actions.run(actor, "close_stream", f"{session_id} stream {stream}", reason.strip()) as action:
            check_reason(reason)
            session = self._live(session_id)
            opened = session.open_stream(stream)
            if opened is None:
                action.outcome = "refused"
                return False
            if opened.kind in ("sse", "stdio"):
                raise Unsupported("This connection is the session itself: expire the session instead.")
            if opened.kind == "post" and session.record.protocol_version < "2025-11-25":
                raise Unsupported(
                    "Clients before 2025-11-25 cannot resume a request's stream; cancel the call instead."
                )
            session.note(EventKind.OPERATOR, "close_stream", json.dumps({"by": actor.name, "stream": stream}))
            opened.close()
            return True


def expire_result(job: Job) -> ExpireResult:
    """Return what a job that has ended did to every session.

    Raises:
        NotFound: The only session named was never known.
    """
    expired = [each for each, outcome in job.results if outcome.group == "done"]
    ended = [each for each, outcome in job.results if outcome.group == "nothing"]
    failed = [(each, outcome.result) for each, outcome in job.results if outcome.group == "failed"]
    if job.total == 1 and failed:
        raise NotFound(failed[0][1])
    return ExpireResult(job.id, expired, ended, failed, job.counts["calls_ended"], job.counts["streams_closed"])


def _find_call(session: LiveSession, request_id: str) -> Call | None:
    calls = session.calls or {}
    return calls.get(request_id) or next((call for call in calls.values() if call.key == request_id), None)
