"""What operators do to sessionless clients of the newer era, which have no session that could be ended."""

from __future__ import annotations

import json

from ..engine.engine import Engine
from ..errors import NotFound, Unsupported
from ..models import Actor, EventKind, SessionKind
from .actions import Actions
from .sessions import check_reason


class ClientVerbs:
    """Closing what a client holds open."""

    def __init__(self, engine: Engine, actions: Actions) -> None:
        self._engine = engine
        self._actions = actions

    async def close_listen_streams(self, actor: Actor, client_id: str, reason: str) -> int:
        """End every listen stream of a client and return how many there were. It may listen again.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The reason is empty.
            NotFound: The client is not here any more.
            Unsupported: It is a session and not a sessionless client.
        """
        async with self._actions.run(actor, "close_listen_streams", client_id, reason.strip()) as action:
            check_reason(reason)
            client = self._engine.by_id.get(client_id)
            if client is None:
                raise NotFound("This client has not been heard for an hour and is not here any more.")
            if client.record.kind is not SessionKind.CLIENT:
                raise Unsupported("This is a session: close one of its streams, or expire it.")
            closed = self.close_all(actor, client_id)
            action.outcome = "done" if closed else "refused"
            action.detail = {"streams_closed": closed}
            return closed

    def close_all(self, actor: Actor, client_id: str) -> int:
        """End every listen stream of a client, as a part of a larger action, and return how many there were."""
        client = self._engine.by_id.get(client_id)
        streams = [stream for stream in (client.streams or ()) if stream.kind == "listen"] if client is not None else []
        for stream in streams:
            stream.close()
        if client is not None and streams:
            detail = json.dumps({"by": actor.name, "streams": len(streams)})
            client.note(EventKind.OPERATOR, "close_listen_streams", detail)
        return len(streams)
