"""One message on its way to one recipient, as each era and transport allows it.

Handshake era: a notification on the session's standalone stream and on no other (a message must not be
repeated on two streams). 2026-07-28: the announcements resource, or a list-changed notification, on the
listen streams that asked for it. A handle has no stream of its own: its client's listen streams carry it. Over HTTP+SSE
and stdio a client of that era listens on its connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

from ..data.messages import LEVELS
from ..engine.engine import Engine
from ..engine.session import LiveSession, forget_outcome
from ..errors import Overloaded
from ..models import (
    STANDALONE_STREAM,
    DeliveryStatus,
    Direction,
    EventKind,
    Receipt,
    SessionKind,
    SessionState,
)
from ..modern.announcements import Announcements
from ..modern.clients import Clients
from ..modern.listeners import LOG_MESSAGE, URI
from ..transport.messages import encode
from .deliveries import Deliveries

UPDATED: Final = "notifications/resources/updated"

LIST_CHANGES: Final[Mapping[str, str]] = {
    "notifications/tools/list_changed": "tools",
    "notifications/prompts/list_changed": "prompts",
    "notifications/resources/list_changed": "resources",
}
"""Notifications that ask a client to read a list again, and the capability that announces each one."""

METHODS: Final = (LOG_MESSAGE, *LIST_CHANGES)
"""What may be broadcast."""

Settle = Callable[[Sequence[Receipt]], None]


class Route(NamedTuple):
    """How clients of one mounted server are reached."""

    announcements: Announcements
    clients: Clients
    declared: Callable[[], frozenset[str]]
    """The lists whose changes the server declares at `initialize`: `tools`, `prompts`, `resources`."""


@dataclass(frozen=True)
class Message:
    """What is sent, with everything that is the same for each recipient."""

    data: object
    """JSON value of a log message; `None` for a list-changed notification."""
    level: str
    logger: str
    expires_at: float
    method: str = LOG_MESSAGE
    is_queued: bool = True
    group: str = ""
    payload: str = field(init=False)
    """As a handshake-era session gets it."""

    def __post_init__(self) -> None:
        message: dict[str, object] = {"jsonrpc": "2.0", "method": self.method}
        if self.method == LOG_MESSAGE:
            message["params"] = {"level": self.level, "logger": self.logger, "data": self.data}
        object.__setattr__(self, "payload", encode(message))

    @property
    def announcement(self) -> dict[str, object]:
        """As a client of the newer era reads it in the announcements."""
        if self.group:  # whose members' messages are objects, always
            return {"level": self.level, **cast("dict[str, object]", self.data)}
        return {"level": self.level, "text" if isinstance(self.data, str) else "data": self.data}

    @property
    def wire_payload(self) -> str:
        """As a listen stream of the newer era carries it."""
        if self.method != LOG_MESSAGE:
            return self.payload
        return encode({"jsonrpc": "2.0", "method": UPDATED, "params": {"uri": URI}})


class Postman:
    """Knows how each session is reached; one for the process."""

    def __init__(self, engine: Engine, deliveries: Deliveries) -> None:
        self.engine = engine
        self.deliveries = deliveries
        self.routes: dict[str, Route] = {}
        """By the name of the mounted server."""

    def client_of(self, session: LiveSession) -> LiveSession | None:
        """Return the sessionless client whose listen streams reach a handle; any other has its own streams."""
        if session.record.kind is not SessionKind.HANDLE:
            return session
        route = self.routes.get(session.record.server)
        return route.clients.of_handle(session) if route is not None else None

    def expect(self, session: LiveSession, seq: int, expires_at: float, settle: Settle) -> None:
        """Settle a queued message's receipt once it is written, or its time is over."""

        def report(was_written: bool) -> None:
            status = DeliveryStatus.DELIVERED if was_written else DeliveryStatus.FAILED
            reason = None if was_written else "no stream was opened in time, or the session ended"
            settle([receipt(session, status, reason, seq)])

        self.deliveries.expect(session.record.no, seq, expires_at, report)


class Expected(NamedTuple):
    """What sending to one recipient comes to."""

    status: DeliveryStatus
    """`PENDING` where a stream is open that carries it."""
    reason: str | None


class _Told:
    """One client's outcome, shared by every recipient that its listen streams stand for."""

    def __init__(self) -> None:
        self.waiting: list[LiveSession] = []
        self.was_written: bool | None = None


class Mailing:
    """One message to many. Receipts of what is settled later go to `settle`."""

    def __init__(self, postman: Postman, message: Message, recipients: Sequence[LiveSession], settle: Settle) -> None:
        self._postman = postman
        self._message = message
        self._settle = settle
        self._ids = frozenset(session.record.id for session in recipients)
        self._told: dict[str, _Told] = {}
        self._declared: dict[str, frozenset[str]] = {}

    def announce(self, recipients: Sequence[LiveSession], *, is_for_all: bool) -> None:
        """Put the message into the announcements, readable by whom it is for and by nobody else."""
        if self._message.method != LOG_MESSAGE:
            return
        clients = (self._postman.client_of(session) for session in recipients if session.record.hears_by_listening)
        readers = None if is_for_all else frozenset(client.record.id for client in clients if client is not None)
        for route in self._postman.routes.values():
            if readers is None or readers:
                route.announcements.add(self._message.announcement, readers, is_from_group=bool(self._message.group))

    def expect(self, session: LiveSession) -> Expected:
        """Return what sending to one recipient would come to now, without sending."""
        record, message = session.record, self._message
        if session.early_end is not None:
            return Expected(DeliveryStatus.FAILED, "the session ended meanwhile")
        if session.record.hears_by_listening:
            return self._expect_told(session)
        if record.state in (SessionState.NOT_INITIALIZED, SessionState.INITIALIZING):
            return Expected(DeliveryStatus.SKIPPED, "its handshake is not finished")
        if message.method == LOG_MESSAGE:
            if record.log_level is not None and severity(message.level) < severity(record.log_level):
                return Expected(DeliveryStatus.BELOW_LEVEL, f"it asked for {record.log_level} and above")
        elif not self._is_declared(record.server):
            kind = LIST_CHANGES[message.method]
            return Expected(DeliveryStatus.SKIPPED, f"its server declared no {kind}.listChanged at initialize")
        if session.open_stream(STANDALONE_STREAM) is not None:
            return Expected(DeliveryStatus.PENDING, None)
        if message.is_queued:
            return Expected(DeliveryStatus.QUEUED, "no stream is open; sent with the next one")
        return Expected(DeliveryStatus.SKIPPED, "it has no open stream")

    def send(self, session: LiveSession) -> Receipt:
        """Send to one recipient and return its receipt as it stands."""
        expected = self.expect(session)
        if expected.status not in (DeliveryStatus.PENDING, DeliveryStatus.QUEUED):
            return receipt(session, expected.status, expected.reason)
        if session.record.hears_by_listening:
            return self._tell(session)
        try:
            return receipt(session, expected.status, expected.reason, self._append(session))
        except Overloaded as error:
            return receipt(session, DeliveryStatus.FAILED, error.message)

    def _append(self, session: LiveSession) -> int:
        message = self._message
        event, committed = session.append(
            Direction.FROM_SERVER,
            EventKind.NOTIFICATION,
            message.method,
            message.payload,
            stream=STANDALONE_STREAM,
            expires_at=message.expires_at,
        )
        committed.add_done_callback(forget_outcome)
        self._postman.expect(session, event.seq, message.expires_at, self._settle)
        return event.seq

    def _is_declared(self, server: str) -> bool:
        if server not in self._declared:
            route = self._postman.routes.get(server)
            self._declared[server] = route.declared() if route is not None else frozenset()
        return LIST_CHANGES[self._message.method] in self._declared[server]

    # -- the newer era -------------------------------------------------------------------------

    def _expect_told(self, session: LiveSession) -> Expected:
        client, message = self._postman.client_of(session), self._message
        if client is None:
            reason = "a handle is reached through its client's listen stream, and that client is not here any more"
            return Expected(DeliveryStatus.NOT_LISTENING, reason)
        if client is not session and client.record.id in self._ids:
            return Expected(DeliveryStatus.SKIPPED, "its client is in the audience too and is told once")
        route = self._postman.routes.get(client.record.server)
        if route is None or (not route.announcements.is_enabled and message.method == LOG_MESSAGE):
            return Expected(DeliveryStatus.NOT_LISTENING, "announcements are turned off")
        if client.record.id in self._told or route.announcements.listens(client.record.id, method=message.method):
            return Expected(DeliveryStatus.PENDING, None)
        wanted = URI if message.method == LOG_MESSAGE else f"changes of the {LIST_CHANGES[message.method]} list"
        return Expected(DeliveryStatus.NOT_LISTENING, f"it has no listen stream for {wanted}")

    def _tell(self, session: LiveSession) -> Receipt:
        client = self._postman.client_of(session)
        assert client is not None  # or nothing was expected
        told = self._told.get(client.record.id)
        if told is None:
            told = self._told[client.record.id] = self._ask(client)
        if told.was_written is not None:
            return _outcome(session, told.was_written)
        told.waiting.append(session)
        return receipt(session, DeliveryStatus.PENDING, None)

    def _ask(self, client: LiveSession) -> _Told:
        route, message, told = self._postman.routes[client.record.server], self._message, _Told()

        def report(was_written: bool) -> None:
            told.was_written = was_written
            # What goes over a connection is recorded as it passes.
            if was_written and client.early_end is None and client.record.kind is SessionKind.CLIENT:
                method = UPDATED if message.method == LOG_MESSAGE else message.method
                client.write(Direction.FROM_SERVER, EventKind.NOTIFICATION, method, message.wire_payload)
            self._settle([_outcome(session, was_written) for session in told.waiting])

        if not route.announcements.tell(client.record.id, report, method=message.method):
            told.was_written = False  # it listens, but reads so slowly that its queue is full
        return told


def receipt(session: LiveSession, status: DeliveryStatus, reason: str | None, seq: int | None = None) -> Receipt:
    """Return a receipt of this moment."""
    return Receipt(session.record.id, status, time.time(), reason, seq)


def severity(level: str) -> int:
    """Return how severe a level is; 0 is the least."""
    return next((index for index, known in enumerate(LEVELS) if known == level), 0)


def _outcome(session: LiveSession, was_written: bool) -> Receipt:
    status = DeliveryStatus.DELIVERED if was_written else DeliveryStatus.FAILED
    return receipt(session, status, None if was_written else "its stream was closed, or is not read")
