"""`SessionLife`: what a tool may know and decide about its caller's session.

    @mcp.tool()
    async def keep_me(life: Annotated[SessionLife, Resolve(session_life)]) -> str:
        await life.set_timeouts(idle_seconds=2 * 3600)
        return f"request {life.request_count} of session {life.session_id}"

It is the guide's `SessionManager`, without its dictionary and its timers: the engine counts and expires anyway.
"""

from __future__ import annotations

from mcp.server.mcpserver import Context

from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..engine.timeouts import check_seconds, give_timeouts
from ..errors import InvalidInput
from ..filters.durations import NO_LIMIT, spell
from ..models import SessionKind, SessionState, Transition, history_of
from .calling import calling_session
from .telling import told


class SessionLife:
    """The facts of one session as they are now, and its limits."""

    def __init__(self, engine: Engine, session: LiveSession) -> None:
        self._engine = engine
        self._session = session

    @property
    def session_id(self) -> str:
        """The session's public reference, as the console shows it. Not a secret."""
        return self._session.record.id

    @property
    def transport(self) -> SessionKind:
        """What carries it."""
        return self._session.record.kind

    @property
    def state(self) -> SessionState:
        """Where it is in its life."""
        return self._session.record.state

    @property
    def created_at(self) -> float:
        """Unix seconds."""
        return self._session.record.created_at

    @property
    def last_activity(self) -> float:
        """When the client was last heard, in Unix seconds; the running call counts."""
        return self._session.record.last_activity_at

    @property
    def request_count(self) -> int:
        """Requests of this session so far, those that are not answered yet included."""
        return self._session.record.request_count + self._session.in_flight

    @property
    def idle_seconds(self) -> float | None:
        """The idle limit in force; `None` is none."""
        return self._engine.timeouts(self._session).idle_seconds

    @property
    def lifetime_seconds(self) -> float | None:
        """The absolute limit in force; `None` is none."""
        return self._engine.timeouts(self._session).lifetime_seconds

    @property
    def history(self) -> list[Transition]:
        """The states it went through, oldest first."""
        return history_of(self._session.record)

    async def set_timeouts(self, *, idle_seconds: float | None = None, lifetime_seconds: float | None = None) -> None:
        """Give the session limits of its own; what is left out stays as it is.

        A tool shortens as it likes. It extends the idle limit up to `SWITCHROOM_MAX_TOOL_IDLE_SECONDS`, and never
        beyond the lifetime that a rule, the server or an operator has set.

        Raises:
            InvalidInput: A limit is out of bounds; nothing was changed. It is a `ToolError` as well.
        """
        with told():
            record = self._session.record
            idle, lifetime = (
                check_seconds("idle_seconds", idle_seconds),
                check_seconds("lifetime_seconds", lifetime_seconds),
            )
            most = self._engine.settings.max_tool_idle_seconds
            if idle is not None and not 0 < idle <= most:
                raise InvalidInput(f"A tool sets an idle limit above 0 and up to {spell(most)}.", field="idle_seconds")
            present = self.lifetime_seconds
            if lifetime is not None and (lifetime == NO_LIMIT or (present is not None and lifetime > present)):
                allowed = f"up to {spell(present)}" if present is not None else "above 0"
                raise InvalidInput(f"A tool sets a lifetime {allowed}.", field="lifetime_seconds")
            give_timeouts(
                self._engine,
                self._session,
                idle_seconds=record.idle_seconds if idle is None else idle,
                lifetime_seconds=record.lifetime_seconds if lifetime is None else lifetime,
            )


def session_life(ctx: Context) -> SessionLife:
    """Return the running call's session; for `Resolve`.

    Raises:
        ToolError: The server is not attached to Switchroom, or a call of the newer era has no valid handle.
    """
    current = calling_session(ctx, "Sessions")
    return SessionLife(current.engine, current.session)
