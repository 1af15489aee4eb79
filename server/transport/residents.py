"""Waking and hibernating sessions: what the kernel keeps of one comes and goes here.

A restart, a hand-over and a hibernation are the same path: the record is in memory, and the next
request rebuilds the connection from it.
"""

from __future__ import annotations

import logging
from typing import Any

from mcp.server.lowlevel import Server

from ..engine.calls import EarlyAnswer
from ..engine.ending import SESSION_ENDED
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..models import ANSWERS, STANDALONE_STREAM, Direction, EventKind
from ..store.base import EventQuery
from .emitter import StandaloneOutbound, StreamEmitter
from .kernel import Resident
from .messages import error_text
from .tool_marks import ToolMarks

logger = logging.getLogger(__name__)

_LOOK_BACK = 1_000
"""How many requests and answers a revival searches for those that a crash left without an answer."""

LOST = EarlyAnswer(SESSION_ENDED, "The server restarted before this request finished; it may have been carried out.")


class Residents:
    """Builds and drops `Resident`s for the sessions of one mounted server."""

    def __init__(self, engine: Engine, server: Server[Any], server_name: str, marks: ToolMarks | None = None) -> None:
        self._engine = engine
        self._server = server
        self.server_name = server_name
        self.marks = marks if marks is not None else ToolMarks()
        """What the server's tools say is secret."""
        self._has_resources = server.get_request_handler("resources/list") is not None
        self.lifespan_state: Any = None
        """What the server's lifespan yielded; set when the server starts."""

    def build(self, session: LiveSession, secret: str) -> Resident:
        """Give a session its connection to the SDK's kernel."""
        settings = self._engine.settings
        emitter = StreamEmitter(session, STANDALONE_STREAM, settings.request_to_client_seconds)
        resident = Resident(
            self._server,
            self.lifespan_state,
            StandaloneOutbound(emitter),
            secret,
            has_resources=self._has_resources,
        )
        session.resident = resident
        return resident

    async def wake(self, session: LiveSession, secret: str) -> None:
        """Make sure a session can serve a request; nothing to do while it is in use."""
        if session.resident is not None:
            return
        record = session.record
        resident = self.build(session, secret)
        if record.init is not None:
            resident.restore(record.init, record.protocol_version, record.is_initialized)
        if record.worker_id != self._engine.worker_id:
            self._engine.adopt(session)
            await self._answer_lost_calls(session)

    async def _answer_lost_calls(self, session: LiveSession) -> None:
        """Answer each request of an earlier process that has none, so that no resuming client waits for ever."""
        record = session.record
        query = EventQuery(
            before=record.last_seq + 1, limit=_LOOK_BACK, kinds=(EventKind.REQUEST, *ANSWERS), newest_first=True
        )
        page = await self._engine.store.events.read(record.no, query)
        answered = {e.related_seq for e in page.events if e.direction is Direction.FROM_SERVER and e.kind in ANSWERS}
        for event in reversed(page.events):
            is_call = event.direction is Direction.FROM_CLIENT and event.kind is EventKind.REQUEST
            if not is_call or event.seq in answered or event.epoch == record.epoch:
                continue
            session.count_answer(is_error=True)
            session.write(
                Direction.FROM_SERVER,
                EventKind.ERROR,
                event.method,
                error_text(event.request_id or "null", LOST.code, LOST.message),
                stream=event.seq,
                request_id=event.request_id,
                error_code=LOST.code,
                related_seq=event.seq,
            )

    async def release(self, session: LiveSession) -> None:
        """Drop what the kernel keeps of a session and run its clean-ups."""
        resident, session.resident = session.resident, None
        if resident is not None:
            await resident.close()
