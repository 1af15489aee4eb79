"""The 2026-07-28 leg: one POST carries one request, which is answered in it (2026-07-28, basic, transports).

Takes the place of the SDK's own entry and checks what that one checks, in its order. The handler runs inside the
request's task, and tasks and timers of its own are for those that take long; `recorder.py` sees every request.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
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
from ..models import LISTEN
from .bodies import ReadRequest
from .http import send_body, send_error
from .kernel import SessionlessCall
from .messages import INVALID_REQUEST, PARSE_ERROR, Malformed, Message, read_message
from .modern_reply import ModernReply, Timing
from .param_headers import ParamHeaders, find_tool
from .residents import Residents

logger = logging.getLogger(__name__)


class ModernHandler:
    """Serves the 2026-07-28 requests of one mounted server."""

    def __init__(self, engine: Engine, manager: StreamableHTTPSessionManager, residents: Residents) -> None:
        self._server = manager.app
        self._residents = residents
        self._is_json = manager.json_response
        self._max_depth = engine.settings.max_depth
        self._security = TransportSecurityMiddleware(manager.security_settings)
        self._param_headers = ParamHeaders(manager.app)
        self._marks = residents.marks
        self._timing = Timing(engine)

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
            message = read_message(body, self._max_depth, with_halves=True)
        except Malformed as error:
            code = error.code if error.code == PARSE_ERROR else INVALID_REQUEST
            await send_error(send, 400, error.message, code=code)
            return
        if message.kind == "request" and message.method == LISTEN and not has_sse:
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
        reply = request.reply = ModernReply(request.receive, send, self._timing)
        outcome: dict[str, Any] | EarlyAnswer | None = None
        try:
            with reply.scope:
                outcome = await self._outcome(call, reply, request, message)
            if outcome is not None:  # otherwise the client has left
                await reply.answer(message.key, outcome)
        finally:
            reply.close()

    async def _outcome(
        self, call: SessionlessCall, reply: ModernReply, request: ReadRequest, message: Message
    ) -> dict[str, Any] | EarlyAnswer:
        if message.method == "tools/call":
            params, tool = message.params or {}, None
            if not self._marks.is_followed and self._marks.must_load(name := params.get("name")):
                tool = await self._learn_marks(call, name, params)
            wrong = await self._param_headers.check(request, params, call.list_tools, tool)
            if wrong is not None:
                return EarlyAnswer(wrong.code, wrong.message, wrong.data)
        if not self._is_json or message.method == LISTEN:
            reply.may_stream()
        return await call.run(reply, message.method, message.params, as_recorded=reply.as_recorded)

    async def _learn_marks(
        self, call: SessionlessCall, name: object, params: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Have a low-level server list a tool, as to the client: `recorder.py` reads what it marks in passing."""
        self._marks.asked()
        try:
            return await find_tool(name, params, call.list_tools)
        except Exception:
            logger.warning(
                "the server did not list its tools: what they mark as secret is known once a client lists them",
                exc_info=True,
            )
            return None


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
