"""One GET of the older HTTP+SSE transport, and the session that lives as long as it does."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..engine.streams import OpenStream
from ..errors import LimitReached, StoreUnavailable
from ..models import STANDALONE_STREAM, SessionState
from .http import send_error, send_limit
from .principals import TOKEN_SECONDS, token_has_expired, token_will_expire
from .wire import WireRecorder


class SseHost(Protocol):
    """The leg, as its connections see it."""

    @property
    def engine(self) -> Engine: ...

    @property
    def app(self) -> ASGIApp: ...

    def open(self, scope: Scope, secret: str, connection: SseConnection) -> tuple[LiveSession, WireRecorder]:
        """Open the session of a connection whose `endpoint` event has named its id."""
        ...

    async def close(self, session: LiveSession) -> None:
        """The connection is over, and with it the session."""
        ...

    async def hand_to_server(self, scope: Scope, secret: str, raw: dict[str, Any]) -> None:
        """Post a message to the SDK as the client of `scope` would."""
        ...


class SseConnection:
    """One GET and the session it carries."""

    def __init__(self, leg: SseHost, scope: Scope, receive: Receive, send: Send) -> None:
        self._leg = leg
        self._scope = scope
        self._receive = receive
        self._send = send
        self._cancel = anyio.CancelScope()
        self._secret = ""
        self._session: LiveSession | None = None
        self._recorder: WireRecorder | None = None
        self._opened = OpenStream(STANDALONE_STREAM, "sse", self._cancel.cancel)
        self._delivering: asyncio.Task[None] | None = None
        self._token_check: asyncio.TimerHandle | None = None
        self._is_over = False
        self._is_answered_twice = False
        """When a stop of the server ends the stream, the SDK goes on with an empty response, which is for nobody."""
        self._start: Message | None = None

    async def serve(self) -> None:
        """Let the SDK answer the GET; returns when the connection is over."""
        try:
            with self._cancel:
                await self._leg.app(self._scope, self._receive, self._watched)
        finally:
            with anyio.CancelScope(shield=True):
                await self._finish()

    async def _finish(self) -> None:
        if self._delivering is not None:
            self._delivering.cancel()
        if self._token_check is not None:
            self._token_check.cancel()
        if self._session is not None:
            self._opened.is_lost = not self._opened.is_closed
            self._leg.engine.stream_watch.ended(self._opened)
            self._session.streams = None
            await self._leg.close(self._session)
            if not self._is_over:
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watched(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            # Held back until the session is open: a limit can still be answered with 429 then.
            self._start = message
            self._is_answered_twice = self._session is not None
            return
        if self._is_over or self._is_answered_twice:
            return
        name, data = _parse(message.get("body", b""))
        if name == "endpoint" and self._session is None and not await self._begin(data):
            return
        if self._start is not None:
            await self._send(self._start)
            self._start = None
        self._is_over = not message.get("more_body", False)
        if name == "message" and self._recorder is not None and not self._recorder.from_server(json.loads(data)):
            return
        await self._send(message)
        if name == "message":
            self._opened.wrote(1)

    async def _begin(self, endpoint: str) -> bool:
        """Open the session, or answer why there is none and return `False`."""
        self._secret = parse_qs(urlsplit(endpoint).query).get("session_id", [""])[0]
        try:
            self._session, self._recorder = self._leg.open(self._scope, self._secret, self)
        except (LimitReached, StoreUnavailable) as error:
            self._is_over = True
            if isinstance(error, LimitReached):
                await send_limit(self._send, error)
            else:
                await send_error(self._send, 503, error.message, headers=[(b"retry-after", b"2")])
            self._cancel.cancel()
            return False
        self._session.streams = [self._opened]
        self._delivering = asyncio.create_task(self._recorder.deliver(self._opened))
        if token_will_expire(self._scope):
            self._check_token(self._session)
        return True

    def _check_token(self, session: LiveSession) -> None:
        """End the session with the token that opened it: the SDK checks that when the GET comes and never again."""
        engine = self._leg.engine
        if token_has_expired(self._scope):
            engine.spawn(engine.end(session, SessionState.EXPIRED, "token"))
            return
        self._token_check = asyncio.get_running_loop().call_later(TOKEN_SECONDS, self._check_token, session)

    async def to_client(self, raw: dict[str, Any]) -> None:
        """Put a message on the connection, past the SDK."""
        text = json.dumps(raw, separators=(",", ":"))
        body = f"event: message\r\ndata: {text}\r\n\r\n".encode("ascii")
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def to_server(self, raw: dict[str, Any]) -> None:
        """Hand the SDK a message as if the client had sent it."""
        await self._leg.hand_to_server(self._scope, self._secret, raw)


def _parse(body: bytes) -> tuple[str, str]:
    """Return name and data of one SSE event; the SDK sends each in a chunk of its own."""
    name = ""
    data: list[str] = []
    for line in body.decode("utf-8", "replace").splitlines():
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
    return name, "\n".join(data)
