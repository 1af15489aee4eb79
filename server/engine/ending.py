"""How calls and sessions come to an end, and what their clients are told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from ..models import EndedId, SessionKind, SessionRecord, SessionState, note_transition
from .calls import Call, EarlyAnswer
from .session import LiveSession

logger = logging.getLogger(__name__)

SESSION_ENDED = -32001
"""JSON-RPC error code of a call that its session's end cut short, and of every later request."""

_BEGIN_AGAIN = {
    SessionKind.HANDLE: "Call open_session to start a new one.",
    SessionKind.SSE: "Connect again to start a new one.",
    SessionKind.STDIO: "Start the server again to have a new one.",
}
_INITIALIZE = "Send initialize without Mcp-Session-Id to start a new one."

EndHook = Callable[[LiveSession], Awaitable[None]]
"""Something to be done when a session has ended."""

_SHUTTING_DOWN = EarlyAnswer(SESSION_ENDED, "The server is shutting down; repeat this request after reconnecting.")


def end_cause(state: SessionState, code: str, by: str | None = None) -> str:
    """Return how a session ended, to be put after "was"; `by` is named to operators only."""
    causes = {
        "client": "closed by its client",
        "idle": "expired after being idle too long",
        "lifetime": "expired at the end of its lifetime",
        "operator": f"expired by operator {by}" if by else "expired by an operator",
        "limit": "expired by a limit",
        "refused": "refused at its handshake",
        "disconnect": "closed when its client disconnected",
        "shutdown": "closed when its server stopped",
        "token": "expired with its access token",
    }
    return causes.get(code, state.value)


def note_end(record: SessionRecord, state: SessionState, code: str, *, by: str | None = None, reason: str = "") -> None:
    """Write into a record that its session has ended, and how."""
    record.state = state
    record.ended_at, record.end_code, record.end_by, record.end_reason = time.time(), code, by, reason
    if record.kind is not SessionKind.CLIENT:
        note_transition(record, record.ended_at, code, by=by, reason=reason)


def explain_end(ended: EndedId) -> tuple[str, dict[str, object]]:
    """Return what the client of an ended session is told from then on: a sentence, and the error's data."""
    code = ended.end_code or ended.state.value
    reason = ended.end_reason or ""
    data: dict[str, object] = {"reason": reason or code, "code": code, "sessionId": ended.session_id}
    because = f": {reason}" if reason else ""
    again = _BEGIN_AGAIN.get(ended.kind, _INITIALIZE)
    return f"This session was {end_cause(ended.state, code)}{because}. {again}", data


class Aborts:
    """Cancels calls, and has those answered for whose handlers go on all the same."""

    def __init__(self) -> None:
        self._overdue: set[Call] = set()
        """Calls that were answered for while their handlers went on."""

    def abort(self, call: Call, answer: EarlyAnswer, grace: float) -> bool:
        """Cancel a call and have it answered after `grace` seconds; `False` when it was cancelled or answered."""
        if not call.cancel(answer):
            return False

        def answer_for_it() -> None:
            if not call.is_settled and call.on_abort is not None:
                self._overdue = {other for other in self._overdue if other.task is not None} | {call}
                call.on_abort(answer)

        asyncio.get_running_loop().call_later(grace, answer_for_it)
        return True

    async def interrupt(self, calls: Iterable[Call], answer: EarlyAnswer) -> None:
        """Stop the handlers that ignored their cancellation, those of `calls` among them."""
        stopped = self._overdue | set(calls)
        for call in stopped:
            call.interrupt(answer)
        await until(lambda: all(call.task is None for call in stopped), within=0.5)

    async def wind_down(self, session: LiveSession, answer: EarlyAnswer, grace: float) -> None:
        """Answer a session's calls and end its streams, in that order."""
        session.each_call(lambda call: self.abort(call, answer, grace))
        for waiting in list((session.pending or {}).values()):
            waiting.fail(answer)
        session.close_idle_streams()
        for call in session.open_calls():
            await call.wait_settled(grace + 0.5)
        session.close_idle_streams()
        # The other streams carry the answers just given, and end by themselves once those are written.
        await until(lambda: all(stream.is_closed for stream in session.streams or ()), within=1.0)
        session.close_streams()

    async def drain(self, sessions: Callable[[], list[LiveSession]]) -> None:
        """Let calls in flight finish for a second, answer the others, and end every stream."""

        def open_calls() -> list[Call]:
            return [call for session in sessions() for call in session.open_calls()]

        for session in sessions():
            session.close_idle_streams()
        await until(lambda: not open_calls(), within=1.0)
        for call in open_calls():
            self.abort(call, _SHUTTING_DOWN, 0.3)
        if not await until(lambda: not open_calls(), within=1.0):
            logger.warning("some calls did not end in time at shutdown")
        await self.interrupt(open_calls(), _SHUTTING_DOWN)
        for session in sessions():
            session.close_idle_streams()
        # Streams that carry an answer end by themselves once it is written.
        await until(lambda: not any(session.streams for session in sessions()), within=0.3)
        for session in sessions():
            session.close_streams()


async def until(condition: Callable[[], bool], *, within: float) -> bool:
    """Wait until `condition` holds; `False` when it does not after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


async def contained(hook: EndHook, session: LiveSession) -> None:
    """Run a hook; one that fails keeps no other from running."""
    try:
        await hook(session)
    except Exception:
        logger.exception("cleaning up after session %s failed", session.record.id)
