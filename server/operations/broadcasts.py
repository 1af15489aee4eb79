"""Broadcast: one message to many, with a receipt for each; `dispatching.py` sends it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from ..directory.directory import Directory
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..errors import InvalidInput, NotFound
from ..filters import Filter, parse_filter
from ..models import Actor, Broadcast, DeliveryStatus, SessionKind
from ..modern.listeners import LOG_MESSAGE
from .actions import Actions
from .dispatching import Dispatcher, draft
from .results import Reach
from .sending import Mailing, Message, Postman
from .wording import LOGGER, Wording, check_ttl, check_wording


class BroadcastVerbs:
    """Sending messages to clients."""

    def __init__(
        self, engine: Engine, directory: Directory, actions: Actions, postman: Postman, dispatcher: Dispatcher
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._actions = actions
        self._postman = postman
        self._dispatcher = dispatcher

    async def broadcast(
        self,
        actor: Actor,
        *,
        text: str = "",
        level: str = "info",
        method: str = LOG_MESSAGE,
        logger: str = LOGGER,
        is_json: bool = False,
        query: Filter | None = None,
        exclude: Filter | None = None,
        session_ids: Sequence[str] = (),
        idempotency_key: str | None = None,
        ttl_seconds: float | None = None,
        is_queued: bool = True,
        is_trial: bool = False,
    ) -> Broadcast:
        """Start to send a message and return at once; the figures fill up as it goes.

        Args:
            text: What log messages say; with `is_json` the JSON text of the value they carry.
            method: `notifications/message`, or a list-changed notification, which carries no text.
            query: Who gets it; without it, and without `session_ids`, every live session and client.
            exclude: Who gets nothing all the same.
            ttl_seconds: How long it waits for a client without a stream; `None` means the setting.
            is_queued: Whether it waits at all; otherwise a client without a stream is skipped.
            is_trial: Whether it is tried on one session first; the next trial is offered the same one.
            idempotency_key: A second broadcast with the same key returns the first one.

        Raises:
            Forbidden: The actor may not act.
            InvalidInput: The message, its level or its logger is malformed, or a trial names no single session.
            NotFound: None of the chosen sessions is live any more.
        """
        chosen, excluded = query or parse_filter(""), exclude or parse_filter("")
        target = chosen.text or (", ".join(session_ids[:25]) if session_ids else "(all live sessions)")
        async with self._actions.run(actor, "try_broadcast" if is_trial else "broadcast", target) as action:
            wording = Wording(text.strip(), level, method, logger.strip(), is_json)
            data = check_wording(wording)
            check_ttl(ttl_seconds)
            if is_trial and len(session_ids) != 1:
                raise InvalidInput("Choose one session to try it on.", field="trial")
            recipients, gone = self._recipients(chosen, excluded, session_ids)
            wanted = draft(
                actor.name,
                wording,
                self._engine.settings.queue_seconds if ttl_seconds is None else ttl_seconds,
                filter=chosen.text,
                exclude=excluded.text,
                idempotency_key=idempotency_key or None,
                is_queued=is_queued,
                is_trial=is_trial,
            )
            stored = await self._dispatcher.store(wanted, recipients, gone)
            action.detail = {"broadcast": stored.id, "audience": stored.audience, "level": level, "method": method}
            if stored.id == wanted.id:
                is_for_all = not session_ids and chosen.is_empty and excluded.is_empty
                self._engine.spawn(self._dispatcher.send(stored, data, recipients, gone=gone, is_for_all=is_for_all))
            return stored

    async def stop_broadcast(self, actor: Actor, broadcast_id: str) -> Broadcast:
        """Stop sending; what was sent is not unsent, and what is queued stays queued.

        Raises:
            Forbidden: The actor may not act.
            NotFound: There is no such broadcast.
        """
        async with self._actions.run(actor, "stop_broadcast", broadcast_id) as action:
            found = await self._directory.broadcast(broadcast_id)
            if found.status != "sending":
                action.outcome = "refused"
                return found
            await self._dispatcher.stop(broadcast_id)
            return await self._directory.broadcast(broadcast_id)

    def _recipients(
        self, query: Filter, exclude: Filter, session_ids: Sequence[str]
    ) -> tuple[list[LiveSession], list[str]]:
        """Return who gets it, and the chosen ones that have ended."""
        gone: list[str] = []
        if session_ids:
            found = {session_id: self._engine.by_id.get(session_id) for session_id in session_ids}
            gone = [session_id for session_id, session in found.items() if session is None]
            chosen = [session for session in found.values() if session is not None]
            if not chosen:
                raise NotFound("None of the chosen sessions is live any more.")
            now = time.time()
            live = [session for session in chosen if exclude.is_empty or not exclude.matches(session, now)]
        else:
            live = self._directory.audience_of(query, exclude)
        return live, gone

    def reach(
        self,
        wording: Wording,
        *,
        query: Filter | None = None,
        exclude: Filter | None = None,
        session_ids: Sequence[str] = (),
        is_queued: bool = True,
    ) -> Reach:
        """Return what such a broadcast would come to now, without sending anything.

        Raises:
            NotFound: None of the chosen sessions is live any more.
        """
        live, gone = self._recipients(query or parse_filter(""), exclude or parse_filter(""), session_ids)
        message = Message(None, wording.level, wording.logger, 0.0, wording.method, is_queued)
        mailing = Mailing(self._postman, message, live, lambda receipts: None)
        counts = Counter(mailing.expect(session).status for session in live)
        clients = sum(session.record.kind is SessionKind.CLIENT for session in live)
        return Reach(
            sessions=len(live) - clients,
            clients=clients,
            reached=counts[DeliveryStatus.PENDING],
            queued=counts[DeliveryStatus.QUEUED],
            not_listening=counts[DeliveryStatus.NOT_LISTENING],
            below_level=counts[DeliveryStatus.BELOW_LEVEL],
            skipped=counts[DeliveryStatus.SKIPPED],
            ended=len(gone) + counts[DeliveryStatus.FAILED],
        )
