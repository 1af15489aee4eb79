"""POST: opening a session, and the requests, notifications and answers a client sends in it."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from starlette.requests import Request
from starlette.types import Send

from ..current import CurrentCall, current_call
from ..engine.calls import REQUEST_CANCELLED, Call, EarlyAnswer
from ..engine.deadlines import Deadlines
from ..engine.engine import Engine
from ..engine.session import OWN_STREAM, LiveSession, forget_outcome
from ..ids import new_session_secret
from ..marks import Marks
from ..models import STANDALONE_STREAM, Direction, EventKind, SessionKind, SessionState
from .call_context import CallContext, message_context
from .clients import describe_client
from .emitter import NoEmitter, StreamEmitter
from .exchange import Exchange
from .http import Header, send_body, send_error
from .kernel import Resident, contained, run_request
from .masking import masked_reply, masked_request
from .messages import Message, encode
from .param_headers import MAX_PAGES
from .principals import address_of, principal_of
from .residents import Residents

logger = logging.getLogger(__name__)


class PostHandler:
    """Serves the POSTs of one mounted server."""

    def __init__(self, engine: Engine, residents: Residents, *, is_json: bool) -> None:
        self._engine = engine
        self._residents = residents
        self._is_json = is_json
        self._stream_after = Deadlines(engine.settings.stream_after_seconds)

    # -- opening a session ---------------------------------------------------------------------

    async def open(self, request: Request, message: Message, size: int, send: Send) -> None:
        """Serve an `initialize` without a session id: open a session, or leave none behind."""
        principal = principal_of(request.scope)
        secret = new_session_secret()
        session = self._engine.open(
            SessionKind.STREAMABLE_HTTP,
            secret,
            server=self._residents.server_name,
            principal=principal.name if principal is not None else None,
            principal_key=principal.key if principal is not None else None,
            address=address_of(request.scope),
        )
        session.record.bytes_in += size
        describe_client(session, message.params)
        session.note(EventKind.LIFECYCLE, "initializing", json.dumps({"to": "initializing", "cause": "initialize"}))
        resident = self._residents.build(session, secret)
        headers: list[Header] = [(b"mcp-session-id", secret.encode("ascii"))]
        try:
            await self._request(request, session, resident, message, send, headers)
        finally:
            if not resident.is_accepted and session.early_end is None:
                ended = self._engine.end(session, SessionState.REJECTED, "refused", reason="initialize was refused")
                self._engine.spawn(ended)

    def _initialized(self, session: LiveSession, resident: Resident, message: Message) -> None:
        """Record what the handshake negotiated; runs before its answer is stored."""
        record = session.record
        record.init = sys.intern(encode(message.params or {}))  # one copy for all that say the same
        record.protocol_version = resident.protocol_version
        self._engine.save(session).add_done_callback(forget_outcome)

    # -- messages of a session -----------------------------------------------------------------

    async def serve(self, request: Request, session: LiveSession, secret: str, message: Message, send: Send) -> None:
        """Serve one message of an existing session."""
        headers: list[Header] = [(b"mcp-session-id", secret.encode("latin-1"))]
        resident: Resident = session.resident
        if message.kind == "answer":
            self._answer(session, message)
            await send_body(send, 202, headers, b"")
        elif message.kind == "notification":
            self._notification(request, session, resident, message)
            # One turn of the loop: the handler has the message before the client hears so.
            await asyncio.sleep(0)
            await send_body(send, 202, headers, b"")
        elif message.method == "initialize":
            text = "This session is initialized already. Send initialize without Mcp-Session-Id to start a new one."
            await send_error(send, 400, text, key=message.key, headers=headers)
        else:
            await self._request(request, session, resident, message, send, headers)

    async def _request(
        self,
        request: Request,
        session: LiveSession,
        resident: Resident,
        message: Message,
        send: Send,
        headers: list[Header],
    ) -> None:
        marks = await self._marks_of(request, session, resident, message)
        if message.key in (session.calls or {}):
            text = f"Request id {message.key} is still in flight in this session; use another one."
            await send_error(send, 400, text, key=message.key, headers=headers)
            return
        self._engine.admission.admit_call(session.in_flight, session.record.id)
        call = _begin(session, message, marks)
        exchange = Exchange(
            self._engine,
            session,
            call,
            request.scope,
            request.receive,
            send,
            is_json=self._is_json,
            can_stream=message.method != "initialize",  # its head waits for the verdict on the session id
            headers=headers,
        )
        exchange.go_live_later(self._stream_after)
        context = self._context(request, session, call, message, exchange)
        token = current_call.set(CurrentCall(self._engine, session, call))
        try:
            outcome = await run_request(resident, context, call)
            if message.method == "initialize":
                if resident.is_accepted:
                    self._initialized(session, resident, message)
                else:
                    headers.clear()  # a refused handshake names no session
            await exchange.settle(outcome)
        except asyncio.CancelledError:
            # The server stops this task by force; the client must still get an answer.
            exchange.abandon()
            answer = EarlyAnswer(REQUEST_CANCELLED, "The server stopped before this request finished")
            self._engine.spawn(exchange.settle(answer))
            raise
        finally:
            current_call.reset(token)
            session.last_used = time.monotonic()
        await exchange.finish()

    async def _marks_of(
        self, request: Request, session: LiveSession, resident: Resident, message: Message
    ) -> Marks | None:
        """Return what the tool that is called marks as secret."""
        if message.method != "tools/call" or message.params is None:
            return None
        marks, name = self._residents.marks, message.params.get("name")
        if marks.must_load(name):
            await self._load_marks(request, session, resident, name)
        return marks.find(name)

    async def _load_marks(self, request: Request, session: LiveSession, resident: Resident, name: object) -> None:
        """Learn what the tools mark as secret; a low-level server is asked as its clients would, page by page."""
        marks = self._residents.marks
        if marks.is_followed:
            await marks.load()
            return
        marks.asked()
        transport, metadata = message_context(request, can_send_request=False, closers=None)
        context = CallContext(NoEmitter(), None, "switchroom-tools", transport, metadata)
        token = current_call.set(CurrentCall(self._engine, session, None))
        try:
            cursor: str | None = None
            for _ in range(MAX_PAGES):
                page = await resident.list_tools(context, cursor)
                marks.learn(page)
                cursor = page.get("nextCursor") if page is not None else None
                if not isinstance(cursor, str) or marks.knows(name):
                    break
        finally:
            current_call.reset(token)

    def _context(
        self, request: Request, session: LiveSession, call: Call, message: Message, exchange: Exchange
    ) -> CallContext:
        can_request = not self._is_json and message.method != "initialize"
        closers = None
        if can_request and session.record.protocol_version >= "2025-11-25":
            closers = (_async(exchange.close), _async(lambda: _close_standalone(session)))
        transport, metadata = message_context(request, can_send_request=can_request, closers=closers)
        emitter = (
            NoEmitter()
            if not can_request
            else StreamEmitter(
                session,
                call.seq,
                self._engine.settings.request_to_client_seconds,
                call=call,
                before=exchange.go_live,
                room=exchange.room,
            )
        )
        return CallContext(emitter, call, message.id, transport, metadata, call.params)

    def _notification(self, request: Request, session: LiveSession, resident: Resident, message: Message) -> None:
        session.write(Direction.FROM_CLIENT, EventKind.NOTIFICATION, message.method, message.text)
        params = message.params or {}
        if message.method == "notifications/cancelled":
            self._cancelled(session, params)
        elif message.method == "notifications/progress":
            self._progressed(session, params)
        elif (
            message.method == "notifications/initialized" and resident.is_accepted and not session.record.is_initialized
        ):
            session.record.is_initialized = True
            self._engine.set_state(session, SessionState.INITIALIZED, "notifications/initialized")
        transport, metadata = message_context(request, can_send_request=not self._is_json, closers=None)
        emitter = StreamEmitter(session, STANDALONE_STREAM, self._engine.settings.request_to_client_seconds)
        context = CallContext(emitter, None, None, transport, metadata)
        token = current_call.set(CurrentCall(self._engine, session, None))
        try:
            self._engine.spawn(resident.notify(context, message.method, message.params))
        finally:
            current_call.reset(token)

    def _cancelled(self, session: LiveSession, params: dict[str, Any]) -> None:
        request_id = cancelled_request_id_from_params(params)
        if request_id is None or not session.calls:
            return
        call = session.calls.get(json.dumps(request_id)) or session.calls.get(json.dumps(coerce_request_id(request_id)))
        if call is not None:
            reason = params.get("reason")
            text = "Request cancelled" + (f": {reason}" if isinstance(reason, str) and reason else "")
            self._engine.abort(call, EarlyAnswer(REQUEST_CANCELLED, text))

    def _progressed(self, session: LiveSession, params: dict[str, Any]) -> None:
        token, progress = params.get("progressToken"), params.get("progress")
        waiting = (session.pending or {}).get(token) if isinstance(token, str) else None
        if waiting is None or waiting.on_progress is None or isinstance(progress, bool):
            return
        if isinstance(progress, int | float):
            total, text = params.get("total"), params.get("message")
            whole = float(total) if isinstance(total, int | float) and not isinstance(total, bool) else None
            report = waiting.on_progress(float(progress), whole, text if isinstance(text, str) else None)
            self._engine.spawn(contained(report, "a progress callback"))

    def _answer(self, session: LiveSession, message: Message) -> None:
        is_error = "error" in message.raw
        waiting = (session.pending or {}).get(message.id) if isinstance(message.id, str) else None
        text = message.text
        if waiting is not None and (waiting.form is not None or waiting.hidden):
            text = masked_reply(message.raw, waiting.hidden, waiting.form)
        session.write(
            Direction.FROM_CLIENT,
            EventKind.ERROR if is_error else EventKind.RESPONSE,
            None,
            text,
            request_id=message.key or None,
            size_bytes=len(message.text),
        )
        if waiting is not None:
            waiting.resolve(message.raw)


def _begin(session: LiveSession, message: Message, marks: Marks | None) -> Call:
    """Write the row of a request, which nobody waits for, and have its call known."""
    hidden: list[str] = []
    event = session.write(
        Direction.FROM_CLIENT,
        EventKind.REQUEST,
        message.method,
        message.text if marks is None else masked_request(marks, message.raw, hidden),
        stream=OWN_STREAM,
        request_id=message.key,
        size_bytes=len(message.text),
    )
    call = Call(event.seq, message.key, message.method, message.params)
    if marks is not None:
        call.marks, call.hidden = marks, hidden
    if session.calls is None:
        session.calls = {}
    session.calls[message.key] = call
    return call


def _close_standalone(session: LiveSession) -> None:
    opened = session.open_stream(STANDALONE_STREAM)
    if opened is not None:
        opened.close()


def _async(action: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        action()

    return run
