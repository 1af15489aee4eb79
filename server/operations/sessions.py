"""Ending sessions, cancelling calls, closing streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from ..directory.directory import Directory
from ..engine.calls import Call, EarlyAnswer
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..errors import AlreadyEnded, Conflict, InvalidInput, NotFound, StoreUnavailable, Unsupported
from ..filters import Filter
from ..models import Actor, EventKind, SessionKind, SessionState
from .actions import Action, Actions
from .results import CancelResult, ExpireResult

MAX_REASON = 500
GROWTH = 1.1
"""An action by filter is aborted when it matches this much more than the operator saw."""

_AT_ONCE = 50
"""Sessions ended together; between two lots other work gets its turn."""

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


class SessionVerbs:
    """What operators do to sessions."""

    def __init__(self, engine: Engine, directory: Directory, actions: Actions) -> None:
        self._engine = engine
        self._directory = directory
        self._actions = actions

    async def expire(
        self,
        actor: Actor,
        reason: str,
        *,
        session_ids: Sequence[str] = (),
        query: Filter | None = None,
        exclude: Sequence[str] = (),
        expected: int | None = None,
    ) -> ExpireResult:
        """End sessions, by id or by filter.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The reason is empty, or neither ids nor a filter are given.
            NotFound: The only session named was never known.
            Conflict: By filter, it matches over a tenth more sessions than `expected`.
        """
        if query is None and not session_ids:
            raise InvalidInput("Name the sessions to expire, or give a filter.")
        target = query.text or "(all live sessions)" if query is not None else _target(session_ids)
        async with self._actions.run(actor, "expire", target, reason.strip()) as action:
            text = check_reason(reason)
            chosen = self._choose(session_ids, query, frozenset(exclude), expected)
            return await self._expire_all(actor, action, text, chosen)

    def _choose(
        self, session_ids: Sequence[str], query: Filter | None, exclude: frozenset[str], expected: int | None
    ) -> list[str]:
        if query is None:
            return [session_id for session_id in dict.fromkeys(session_ids) if session_id not in exclude]
        chosen = [s.record.id for s in self._directory.matching_live(query) if s.record.id not in exclude]
        if expected is not None and len(chosen) > expected * GROWTH:
            raise Conflict(
                f"The filter now matches {len(chosen):,} sessions instead of {expected:,}: nothing was expired. "
                "Look again and confirm the new number.",
                matched=len(chosen),
            )
        return chosen

    async def _expire_all(self, actor: Actor, action: Action, reason: str, chosen: list[str]) -> ExpireResult:
        result = ExpireResult(action.id, [], [], [], 0, 0)
        calls = streams = 0
        for start in range(0, len(chosen), _AT_ONCE):
            lot = chosen[start : start + _AT_ONCE]
            live = [self._engine.by_id.get(session_id) for session_id in lot]
            held = [(s.in_flight, s.open_streams) if s is not None else (0, 0) for s in live]
            outcomes = await asyncio.gather(*(self._expire_one(actor, session_id, reason) for session_id in lot))
            for session_id, outcome, (its_calls, its_streams) in zip(lot, outcomes, held, strict=True):
                _sort_in(result, session_id, outcome)
                if outcome == "expired":
                    calls, streams = calls + its_calls, streams + its_streams
        if len(chosen) == 1 and result.failed:
            raise NotFound(result.failed[0][1])
        result = result._replace(calls_ended=calls, streams_closed=streams)
        action.outcome = "done" if not result.failed else "partly" if result.expired else "failed"
        action.detail = {
            "expired": len(result.expired),
            "already_ended": len(result.already_ended),
            "failed": len(result.failed),
            "calls_ended": calls,
            "streams_closed": streams,
            "sessions": dict(
                [
                    *((i, "expired") for i in result.expired),
                    *((i, "already ended") for i in result.already_ended),
                    *result.failed,
                ][:1000]
            ),
        }
        return result

    async def _expire_one(self, actor: Actor, session_id: str, reason: str) -> str:
        """Return `expired`, `already_ended`, or why it failed."""
        session = self._engine.by_id.get(session_id)
        if session is None or session.record.kind is SessionKind.CLIENT:
            record = await self._engine.find_record(session_id)
            if record is not None and record.kind is SessionKind.CLIENT:
                return "A client of the 2026-07-28 era has no session to expire; close its listen streams instead."
            return "already_ended" if record is not None else f"Session {session_id} is not known here."
        session.note(EventKind.OPERATOR, "expire", json.dumps({"by": actor.name, "reason": reason}))
        try:
            ended = await self._engine.end(session, SessionState.EXPIRED, "operator", by=actor.name, reason=reason)
        except StoreUnavailable:
            return "expired"  # it is over for its client; its row is queued and follows
        return "expired" if ended else "already_ended"

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
            answer = EarlyAnswer(REQUEST_CANCELLED, f"Cancelled by an operator: {text}", {"reason": text})
            session.note(
                EventKind.OPERATOR, "cancel", json.dumps({"by": actor.name, "reason": text, "request_id": call.key})
            )
            if not self._engine.abort(call, answer):
                return CancelResult(action.id, "already_answered")
            outcome = await self._outcome_of(call)
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


def _sort_in(result: ExpireResult, session_id: str, outcome: str) -> None:
    if outcome == "expired":
        result.expired.append(session_id)
    elif outcome == "already_ended":
        result.already_ended.append(session_id)
    else:
        result.failed.append((session_id, outcome))


def _find_call(session: LiveSession, request_id: str) -> Call | None:
    calls = session.calls or {}
    return calls.get(request_id) or next((call for call in calls.values() if call.key == request_id), None)


def _target(session_ids: Sequence[str]) -> str:
    shown = ", ".join(session_ids[:25])
    return shown if len(session_ids) <= 25 else f"{shown} and {len(session_ids) - 25:,} more"
