"""What a session holds, ended by an operator's hand: its sign-in, its resources."""

from __future__ import annotations

from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..errors import AlreadyEnded
from ..models import Actor
from ..resources import ResourceRegistry
from ..sign_in import SignIns
from .actions import Actions
from .results import ResourceClosed, SignInEnded
from .sessions import check_reason


class HoldingVerbs:
    """Ends what a session holds, and leaves the session itself alone."""

    def __init__(self, engine: Engine, actions: Actions) -> None:
        self._engine = engine
        self._actions = actions

    async def end_sign_in(self, actor: Actor, session_id: str, reason: str) -> SignInEnded:
        """End a session's sign-in; its user may sign in again.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The reason is empty.
            AlreadyEnded: The session has ended.
        """
        async with self._actions.run(actor, "end_sign_in", session_id, reason.strip()) as action:
            text = check_reason(reason)
            sign_ins = self._engine.services.get(SignIns)
            ended = await sign_ins.end(self._live(session_id), f"ended by an operator: {text}", by=actor.name)
            if ended is None:
                action.outcome = "refused"
                return SignInEnded(action.id, None)
            action.detail = {"user": ended.user}
            return SignInEnded(action.id, ended.user)

    async def close_resource(self, actor: Actor, session_id: str, number: int, reason: str) -> ResourceClosed:
        """Close one thing that a session holds open; the session goes on without it.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The reason is empty.
            AlreadyEnded: The session has ended.
        """
        async with self._actions.run(
            actor, "close_resource", f"{session_id} resource {number}", reason.strip()
        ) as action:
            text = check_reason(reason)
            session, registry = self._live(session_id), self._engine.services.get(ResourceRegistry)
            name = next((held.name for held in registry.held(session_id) if held.id == number), None)
            problem = await registry.close(session, number, f"closed by an operator: {text}", by=actor.name)
            if name is None or problem is None:
                action.outcome = "refused"
                return ResourceClosed(action.id, None, "")
            action.outcome = "partly" if problem else "done"
            action.detail = {"resource": name} | ({"problem": problem} if problem else {})
            return ResourceClosed(action.id, name, problem)

    def _live(self, session_id: str) -> LiveSession:
        session = self._engine.by_id.get(session_id)
        if session is None:
            raise AlreadyEnded(f"Session {session_id} has ended or is not known here; it holds nothing any more.")
        return session
