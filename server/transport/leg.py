"""The Streamable HTTP leg, in place of the SDK's transport where the SDK reads it: `session_manager.asgi_app`.

It owns what that one owned: header checks, session ids and their owners, POST, GET and DELETE of the handshake era
(2025-11-25, basic, transports). Requests of the 2026-07-28 era are `modern.py`'s; those of `stateless_http` in the
handshake era go on to the SDK's handler.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from mcp.server.streamable_http import check_accept_headers
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ..engine.diagnosis import note_refused
from ..engine.ending import SESSION_ENDED, explain_end
from ..engine.engine import Engine
from ..engine.refusals import Asker
from ..engine.session import LiveSession
from ..errors import Blocked, LimitReached, StoreUnavailable
from ..ids import hash_secret
from ..models import SessionKind, SessionState
from .blocked import client_name_in, send_blocked
from .bodies import Bodies, ReadRequest, replaying
from .get import serve_get
from .http import send_body, send_error, send_limit
from .messages import Malformed, read_message
from .modern import ModernHandler
from .post import PostHandler
from .principals import address_of, principal_of
from .residents import Residents
from .sessionless import SessionlessLimits

logger = logging.getLogger(__name__)

_VERSION_HEADER = b"mcp-protocol-version"
_SESSION_HEADER = b"mcp-session-id"

NOT_RUNNING = (
    "Switchroom has not been started: run this app with its lifespan. An app that is mounted inside another one "
    "must be started by the outer app's lifespan (enter `switchroom.running()` there)."
)


class Leg:
    """One mounted MCP server's ASGI entry."""

    def __init__(self, engine: Engine, manager: StreamableHTTPSessionManager, residents: Residents) -> None:
        self._engine = engine
        self._manager = manager
        self._sdk: ASGIApp = manager.asgi_app
        self._security = TransportSecurityMiddleware(manager.security_settings)
        self._posts = PostHandler(engine, residents, is_json=manager.json_response)
        self._residents = residents
        self._bodies = Bodies(engine, min(engine.settings.max_body_bytes, manager.max_request_body_size))
        self._modern = ModernHandler(engine, manager, residents)
        self._admission = SessionlessLimits(engine)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._engine.is_running or self._engine.is_stopping:
            message = "The server is shutting down." if self._engine.is_stopping else NOT_RUNNING
            await send_error(send, 503, message, headers=[(b"retry-after", b"2")])
            return
        scope = without_blanks(scope)
        version = header(scope, _VERSION_HEADER)
        is_modern = version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS
        try:
            if (principal := principal_of(scope)) is not None:
                self._engine.admission.admit_request(f"principal {principal.key}")
                self._engine.blocks.check_principal(principal.name)
            body = await self._bodies.read(scope, receive, send) if scope["method"] == "POST" else b""
            if body is None:
                return
            if self._engine.unread:
                # To call a session unknown that may only be unreadable would make its client give it up.
                raise StoreUnavailable(f"The server's {self._engine.unread} could not be read; its operators know why.")
            if is_modern or self._manager.stateless:
                if self._engine.blocks.go_by_name:
                    self._engine.blocks.check_client(client_name_in(body))
                with self._admission.admitted(scope, principal, may_listen=is_modern):
                    if is_modern:
                        await self._modern.serve(ReadRequest(scope, receive, body), body, send)
                    else:
                        await self._sdk(scope, replaying(body, receive), send)
            else:
                await self._serve(scope, receive, send, body)
        except LimitReached as error:
            await send_limit(send, error)
        except Blocked as error:
            await send_blocked(send, error)
        except StoreUnavailable as error:
            await send_error(send, 503, error.message, headers=[(b"retry-after", b"2")])

    async def _serve(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        method = scope["method"]
        session: LiveSession | None = None
        secret = header(scope, _SESSION_HEADER)
        if secret is not None:
            session = await self._find(scope, secret)
            if session is None:
                await self._refuse(scope, secret, send)
                return
            self._engine.blocks.check_client(session.record.client_name)
        request = ReadRequest(scope, receive, body)
        refusal = await self._security.validate_request(request, is_post=method == "POST")
        if refusal is not None:
            await refusal(scope, receive, send)
        elif method == "POST":
            await self._post(request, session, secret, body, send)
        elif method in ("GET", "DELETE") and session is None:
            await send_error(send, 400, "Bad Request: Missing session ID")
        elif method == "GET" and session is not None:
            await serve_get(self._engine, session, request, send, secret or "")
        elif method == "DELETE" and session is not None:
            await self._engine.end(session, SessionState.CLOSED, "client")
            await send_body(send, 200, [], b"")
        else:
            await send_error(send, 405, "Method Not Allowed", headers=[(b"allow", b"GET, POST, DELETE")])

    async def _post(
        self, request: Request, session: LiveSession | None, secret: str | None, body: bytes, send: Send
    ) -> None:
        has_json, has_sse = check_accept_headers(request)
        if not has_json or not (has_sse or self._manager.json_response):
            wanted = (
                "application/json" if self._manager.json_response else "both application/json and text/event-stream"
            )
            await send_error(send, 406, f"Not Acceptable: Client must accept {wanted}")
            return
        try:
            message = read_message(body, self._engine.settings.max_depth)
        except Malformed as error:
            await send_error(send, 400, error.message, code=error.code)
            return
        if session is not None:
            session.record.bytes_in += len(body)
            session.heard(time.monotonic())
            await self._posts.serve(request, session, secret or "", message, send)
        elif message.kind == "request" and message.method == "initialize":
            if self._engine.blocks.go_by_name:
                self._engine.blocks.check_client(client_name_in(body))
            await self._posts.open(request, message, len(body), send)
        else:
            await send_error(send, 400, "Bad Request: Missing session ID", key=message.key or "null")

    async def _find(self, scope: Scope, secret: str) -> LiveSession | None:
        session = self._engine.find(hash_secret(secret))
        if session is None or session.record.kind is not SessionKind.STREAMABLE_HTTP:
            return None
        if session.record.server != self._residents.server_name:
            return None
        principal = principal_of(scope)
        if session.record.principal_key != (principal.key if principal is not None else None):
            # Answered exactly as an unknown id: another principal must not learn that it exists.
            logger.warning("session %s was asked for by another principal", session.record.id)
            return None
        session.last_used = time.monotonic()  # in use from here on: neither expires nor hibernates meanwhile
        await self._residents.wake(session, secret)
        return session if session.early_end is None else None

    async def _refuse(self, scope: Scope, secret: str, send: Send) -> None:
        """Answer 404; the session's owner is told why it ended, everybody else only that it is unknown."""
        name, key = principal_of(scope) or (None, None)
        asker = Asker(self._residents.server_name, name, key, address_of(scope))
        found = await note_refused(self._engine, secret, asker)
        if found.ended is None:
            await send_error(send, 404, "Session not found")
            return
        text, data = explain_end(found.ended)
        await send_error(send, 404, text, code=SESSION_ENDED, data=data)


def without_blanks(scope: Scope) -> Scope:
    """Return the scope with no blanks around header values: they are no part of them (RFC 9110, section 5.5).

    h11 takes them off itself; httptools, which uvicorn prefers where it is installed, leaves the trailing ones.
    """
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if not any(value[-1:].isspace() or value[:1].isspace() for _, value in headers):
        return scope
    return {**scope, "headers": [(name, value.strip()) for name, value in headers]}


def header(scope: Scope, name: bytes) -> str | None:
    """Return the first header of that (lower-case) name."""
    value: Any = next((v for k, v in scope["headers"] if k == name), None)
    return value.decode("latin-1") if value is not None else None
