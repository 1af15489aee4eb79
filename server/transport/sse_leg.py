"""The older HTTP+SSE transport (2024-11-05): the SDK serves it, and this records what passes.

The GET is the session's life. It wraps the whole of `sse_app()`, authentication included, so that a
session belongs to whoever the SDK let in; its id is the one in the `endpoint` event.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..current import CurrentCall, current_call
from ..engine.diagnosis import note_refused
from ..engine.engine import Engine
from ..engine.refusals import Asker
from ..engine.session import LiveSession
from ..errors import Blocked, LimitReached
from ..ids import hash_secret
from ..models import SessionKind, SessionState
from .blocked import client_name_in, send_blocked
from .bodies import Bodies, replaying
from .http import CLOSING, send_error, send_limit
from .leg import NOT_RUNNING
from .messages import Malformed, read_message
from .messages import Message as JsonRpcMessage
from .principals import address_of, principal_of
from .sse_connection import SseConnection
from .tool_marks import ToolMarks
from .wire import WireRecorder


class SseLeg:
    """Wraps an `sse_app()`: records its sessions and lets operators reach them."""

    def __init__(
        self,
        engine: Engine,
        app: ASGIApp,
        server_name: str,
        marks: ToolMarks,
        *,
        sse_path: str,
        message_path: str,
    ) -> None:
        self._engine = engine
        self._app = app
        self._server_name = server_name
        self._marks = marks
        self._sse_path = sse_path
        self._message_path = message_path
        self._recorders: dict[int, WireRecorder] = {}
        self._bodies = Bodies(engine, engine.settings.max_body_bytes)

    def serves(self, path: str) -> bool:
        """Whether a path is one of this transport's two."""
        return path == self._sse_path or path.startswith(self._message_path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif not self._engine.is_running or self._engine.is_stopping:
            await send_error(send, 503, NOT_RUNNING)
        else:
            try:
                self._engine.blocks.check_address(address_of(scope))
                self._engine.admission.admit_request(address_of(scope))
                await self._serve(scope, receive, send)
            except LimitReached as error:
                await send_limit(send, error)
            except Blocked as error:
                await send_blocked(send, error)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == self._sse_path and scope["method"] == "GET":
            await SseConnection(self, scope, receive, send).serve()
        elif scope["method"] == "POST":
            await self._post(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        secret = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_id", [""])[0]
        session = self._engine.find(hash_secret(secret))
        recorder = self._recorders.get(session.record.no) if session is not None else None
        if session is None or recorder is None:
            await self._app(scope, receive, self._noting_refusal(scope, secret, send))
            return
        body = await self._bodies.read(scope, receive, send)
        if body is None:
            return
        message = self._understood(body)
        self._check_name(session, body)
        if (refusal := self._refusal(session, message)) is not None:
            await send_error(send, 400, refusal, headers=[CLOSING])
            return
        if self._marks.must_load(None):
            await self._marks.load()
        token = current_call.set(None)

        async def watched(sent: Message) -> None:
            # "Accepted" comes before the SDK hands the message on, and after all of its own checks:
            # authentication, owner, Host, Origin, content type and form.
            if sent["type"] == "http.response.start" and sent["status"] == 202:
                call = recorder.from_client(message.raw) if message is not None else None
                current_call.set(CurrentCall(self._engine, session, call))
            await noting(sent)

        noting = self._noting_refusal(scope, secret, send)

        try:
            await self._app(scope, replaying(body, receive), watched)
        finally:
            current_call.reset(token)

    def _noting_refusal(self, scope: Scope, secret: str, send: Send) -> Send:
        """Return a `send` that lists the id among the refused ones when the SDK answers that it names no session."""

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 404 and secret:
                name, key = principal_of(scope) or (None, None)
                asker = Asker(self._server_name, name, key, address_of(scope), SessionKind.SSE)
                self._engine.spawn(note_refused(self._engine, secret, asker))
            await send(message)

        return noting

    def _check_name(self, session: LiveSession, body: bytes) -> None:
        """Raise `Blocked` for a session whose client's name is, or is by the `initialize` that comes."""
        blocks = self._engine.blocks
        if blocks.go_by_name:
            blocks.check_client(session.record.client_name or client_name_in(body))

    def _understood(self, body: bytes) -> JsonRpcMessage | None:
        """Return the message in a body; `None` for what is the SDK's to refuse, or is served unrecorded."""
        try:
            return read_message(body, self._engine.settings.max_depth)
        except Malformed:
            return None

    def _refusal(self, session: LiveSession, message: JsonRpcMessage | None) -> str | None:
        """Return why a request must not reach the SDK, which would take it; a client may always cancel and answer.

        Raises:
            LimitReached: The session has as many requests in flight as it may.
        """
        if message is None or message.kind != "request":
            return None
        if message.method == "initialize" and session.record.init is not None:
            return "This session is initialized already. Connect again to start a new one."
        if message.key in (session.calls or {}):
            return f"Request id {message.key} is still in flight in this session; use another one."
        self._engine.admission.admit_call(session.in_flight, session.record.id)
        return None

    # -- for a connection ----------------------------------------------------------------------

    def open(self, scope: Scope, secret: str, connection: SseConnection) -> tuple[LiveSession, WireRecorder]:
        """Open the session of a connection whose `endpoint` event has named its id."""
        principal = principal_of(scope)
        session = self._engine.open(
            SessionKind.SSE,
            secret,
            server=self._server_name,
            principal=principal.name if principal is not None else None,
            principal_key=principal.key if principal is not None else None,
            address=address_of(scope),
            state=SessionState.NOT_INITIALIZED,
        )
        recorder = WireRecorder(
            self._engine, session, self._marks, to_client=connection.to_client, to_server=connection.to_server
        )
        self._recorders[session.record.no] = recorder
        return session, recorder

    async def close(self, session: LiveSession) -> None:
        """The connection is over, and with it the session."""
        self._recorders.pop(session.record.no, None)
        await self._engine.end_connection(session)

    async def hand_to_server(self, scope: Scope, secret: str, raw: dict[str, Any]) -> None:
        """Post a message to the SDK as the client of `scope` would."""
        body = json.dumps(raw).encode("ascii")
        headers = [(name, value) for name, value in scope["headers"] if name not in (b"accept", b"content-length")]
        posted: Scope = {
            **{name: value for name, value in scope.items() if name not in ("user", "auth", "endpoint", "path_params")},
            "method": "POST",
            "path": self._message_path,
            "raw_path": self._message_path.encode("ascii"),
            "query_string": f"session_id={secret}".encode("ascii"),
            "headers": [*headers, (b"content-type", b"application/json")],
        }

        async def discard(message: Message) -> None:
            """The SDK's "202 Accepted" is for nobody."""

        await self._app(posted, replaying(body, None), discard)

    @property
    def engine(self) -> Engine:
        return self._engine

    @property
    def app(self) -> ASGIApp:
        return self._app
