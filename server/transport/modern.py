"""The 2026-07-28 leg: one POST carries one request, which is answered in it (2026-07-28, basic, transports).

Takes the place of the SDK's own entry and checks what that one checks, in its order. The handler runs inside the
request's task, and tasks and timers of its own are for those that take long; `recorder.py` sees every request.
"""

from __future__ import annotations

from typing import Any

from mcp.server.streamable_http import check_accept_headers
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    MCP_PROTOCOL_VERSION_HEADER,
    InboundLadderRejection,
    classify_inbound_request,
    find_duplicated_routing_header,
    unsupported_protocol_version_rejection,
)
from mcp_types import HEADER_MISMATCH
from starlette.types import Send

from ..engine.calls import EarlyAnswer
from ..engine.engine import Engine
from .bodies import ReadRequest
from .http import send_body, send_error
from .kernel import SessionlessCall
from .messages import INVALID_REQUEST, PARSE_ERROR, Malformed, Message, answer_text, read_message
from .modern_reply import ModernReply, Timing
from .param_headers import ParamHeaders
from .residents import Residents

_LISTEN = "subscriptions/listen"


class ModernHandler:
    """Serves the 2026-07-28 requests of one mounted server."""

    def __init__(self, engine: Engine, manager: StreamableHTTPSessionManager, residents: Residents) -> None:
        settings = engine.settings
        self._server = manager.app
        self._residents = residents
        self._is_json = manager.json_response
        self._max_depth = settings.max_depth
        self._security = TransportSecurityMiddleware(manager.security_settings)
        self._param_headers = ParamHeaders(manager.app)
        self._timing = Timing(
            watch_after=settings.stream_after_seconds,
            ping=settings.ping_seconds,
            send_timeout=settings.send_timeout_seconds,
        )

    async def serve(self, request: ReadRequest, body: bytes, send: Send) -> None:
        """Answer one HTTP request whose version header names no handshake-era revision."""
        method = request.scope["method"]
        refusal = await self._security.validate_request(request, is_post=method == "POST")
        if refusal is not None:
            await refusal(request.scope, request.receive, send)
        elif method != "POST":
            await send_error(send, 405, "Method Not Allowed", headers=[(b"allow", b"POST")])
        else:
            await self._post(request, body, send)

    async def _post(self, request: ReadRequest, body: bytes, send: Send) -> None:
        has_json, has_sse = check_accept_headers(request)
        if not has_json or not (has_sse or self._is_json):
            await _refuse_accept(send)
            return
        try:
            message = read_message(body, self._max_depth)
        except Malformed as error:
            code = error.code if error.code == PARSE_ERROR else INVALID_REQUEST
            await send_error(send, 400, error.message, code=code)
            return
        if message.kind == "request" and message.method == _LISTEN and not has_sse:
            await _refuse_accept(send)  # its answer is a stream, whatever the server prefers
        elif message.kind == "request":
            await self._request(request, message, send)
        elif message.kind == "notification":
            await _acknowledge(request, send)
        else:
            await send_error(send, 400, "Invalid Request: clients send no answers in this revision")

    async def _request(self, request: ReadRequest, message: Message, send: Send) -> None:
        headers = request.scope["headers"]
        named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        if (name := find_duplicated_routing_header(named)) is not None:
            await _reject(
                send, InboundLadderRejection(HEADER_MISMATCH, f"{name} header appears more than once"), message
            )
            return
        route = classify_inbound_request(message.raw, headers=dict(named))
        if isinstance(route, InboundLadderRejection):
            await _reject(send, route, message)
            return
        call = SessionlessCall(self._server, self._residents.lifespan_state, request, route, message.id)
        if message.method == "tools/call":
            wrong = await self._param_headers.check(request, message.params or {}, call.list_tools)
            if wrong is not None:
                await _reject(send, wrong, message)
                return
        await self._run(call, request, message, send)

    async def _run(self, call: SessionlessCall, request: ReadRequest, message: Message, send: Send) -> None:
        can_stream = not self._is_json or message.method == _LISTEN
        reply = ModernReply(request.receive, send, self._timing, can_stream=can_stream)
        outcome: dict[str, Any] | EarlyAnswer | None = None
        try:
            with reply.scope:
                outcome = await call.run(reply, message.method, message.params)
            if outcome is not None:  # otherwise the client has left
                _, text, code = answer_text(message.key, outcome)
                await reply.answer(ERROR_CODE_HTTP_STATUS.get(code or 0, 200), text)
        finally:
            reply.close()


async def _acknowledge(request: ReadRequest, send: Send) -> None:
    """Accept a notification, of which this revision defines none: a client cancels by leaving."""
    version = request.headers.get(MCP_PROTOCOL_VERSION_HEADER, "")
    if (unsupported := unsupported_protocol_version_rejection(version)) is not None:
        await _reject(send, unsupported)
    else:
        await send_body(send, 202, [], b"")


async def _reject(send: Send, rejection: InboundLadderRejection, message: Message | None = None) -> None:
    await send_error(
        send,
        ERROR_CODE_HTTP_STATUS.get(rejection.code, 400),
        rejection.message,
        code=rejection.code,
        key=message.key if message is not None else "null",
        data=rejection.data,
    )


async def _refuse_accept(send: Send) -> None:
    await send_error(send, 406, "Not Acceptable: Client must accept both application/json and text/event-stream")
