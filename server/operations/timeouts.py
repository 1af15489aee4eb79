"""How long a session may be idle and may live, by an operator's hand."""

from __future__ import annotations

import time
from typing import Final

from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..engine.timeouts import check_seconds, give_timeouts
from ..errors import AlreadyEnded, InvalidInput, Unsupported
from ..filters.durations import NO_LIMIT, spell
from ..models import Actor, SessionKind
from .actions import Actions
from .results import TimeoutsResult
from .sessions import check_reason

KEEP: Final = -1.0
"""`set_timeouts(idle_seconds=KEEP)`: leave this limit as it is."""


class TimeoutVerbs:
    """Extending and shortening."""

    def __init__(self, engine: Engine, actions: Actions) -> None:
        self._engine = engine
        self._actions = actions

    async def set_timeouts(
        self,
        actor: Actor,
        session_id: str,
        reason: str,
        *,
        idle_seconds: float | None = KEEP,
        lifetime_seconds: float | None = KEEP,
    ) -> TimeoutsResult:
        """Give a session limits of its own, until it ends.

        Args:
            idle_seconds: The longest time without a request or an open stream; 0 is no limit, `None` takes back what
                was set for this session, so that its rule or the server decides again.
            lifetime_seconds: The longest time since it was opened, in the same way.

        Raises:
            Forbidden: The actor may not act.
            AlreadyEnded: The session has ended.
            Unsupported: There is no session (a client of the 2026-07-28 era), or it is its connection and never idle.
            InvalidInput: The reason is empty, a limit is out of bounds, neither is given, or it would end it now.
        """
        async with self._actions.run(actor, "set_timeouts", session_id, reason.strip()) as action:
            text = check_reason(reason)
            session = self._session(session_id)
            record = session.record
            if idle_seconds == KEEP and lifetime_seconds == KEEP:
                raise InvalidInput("Give a new idle limit, a new lifetime, or both.", field="idle_seconds")
            idle = record.idle_seconds if idle_seconds == KEEP else check_seconds("idle_seconds", idle_seconds)
            lifetime = (
                record.lifetime_seconds
                if lifetime_seconds == KEEP
                else check_seconds("lifetime_seconds", lifetime_seconds)
            )
            if idle != record.idle_seconds and record.kind in (SessionKind.SSE, SessionKind.STDIO):
                raise Unsupported("This session is its connection, so it is never idle: set a lifetime instead.")
            _check_survives(session, idle, lifetime)
            before = self._engine.timeouts(session)
            chosen = give_timeouts(
                self._engine, session, idle_seconds=idle, lifetime_seconds=lifetime, by=actor.name, reason=text
            )
            action.detail = {
                "idle": f"{spell(before.idle_seconds)} to {spell(chosen.idle_seconds)}",
                "lifetime": f"{spell(before.lifetime_seconds)} to {spell(chosen.lifetime_seconds)}",
            }
            return TimeoutsResult(action.id, chosen, session.expires_at(chosen))

    def _session(self, session_id: str) -> LiveSession:
        session = self._engine.by_id.get(session_id)
        if session is None or session.early_end is not None:
            raise AlreadyEnded(f"Session {session_id} has ended or is not known here.")
        if session.record.kind is SessionKind.CLIENT:
            raise Unsupported("A client of MCP 2026-07-28 has no session, and so no limits.")
        return session


def _check_survives(session: LiveSession, idle: float | None, lifetime: float | None) -> None:
    """Refuse a limit that has passed already: ending a session is `expire`, which tells its client why."""
    age = time.time() - session.record.created_at
    if lifetime is not None and lifetime != NO_LIMIT and lifetime <= age:
        raise InvalidInput(
            f"The session is {spell(age)} old: a lifetime of {spell(lifetime)} would end it now. Expire it instead.",
            field="lifetime_seconds",
        )
    quiet = time.monotonic() - session.last_used
    if idle is not None and idle != NO_LIMIT and idle <= quiet and not session.is_busy:
        raise InvalidInput(
            f"The session has been idle for {spell(quiet)}: a limit of {spell(idle)} would end it now. "
            "Expire it instead.",
            field="idle_seconds",
        )
