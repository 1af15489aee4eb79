"""The `Server.middleware` that records what does not pass through the leg.

The SDK marks its middleware interface as provisional, so it is used in this module alone. It sees
every message of the 2026-07-28 era and of `stateless_http`; for the leg's messages it only
adds what broadcasts need (`logging/setLevel`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import ErrorData, InitializeResult, LoggingCapability
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel, ValidationError

from .current import CurrentCall, current_call
from .data.failing import with_failure
from .data.messages import LEVELS
from .engine.calls import REQUEST_CANCELLED, Call, EarlyAnswer, is_cancelled_from_outside
from .engine.engine import Engine
from .engine.session import OWN_STREAM, LiveSession
from .errors import Overloaded, StoreUnavailable
from .ids import looks_like_handle
from .marks import Marks, without
from .models import LISTEN, Direction, EventKind, SessionKind
from .modern.clients import Clients
from .modern.handles import Handles, handle_argument
from .transport.bodies import ReadRequest, Reply
from .transport.input_forms import InputForms
from .transport.masking import masked_answer, masked_request
from .transport.messages import INTERNAL_ERROR, INVALID_PARAMS, answer_text, encode, id_text
from .transport.tool_marks import ToolMarks

logger = logging.getLogger(__name__)


class Recorder:
    """One mounted server's middleware."""

    def __init__(
        self, engine: Engine, handles: Handles, clients: Clients, server: Server[Any], marks: ToolMarks
    ) -> None:
        self._engine = engine
        self._handles = handles
        self._clients = clients
        self._server = server
        self._marks = marks
        self._forms = InputForms()

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method == "tools/list" and not self._marks.is_followed:
            call_next = self._learning(call_next)
        current = current_call.get()
        if current is not None and current.session.record.kind is SessionKind.STREAMABLE_HTTP:
            return await self._in_session(ctx, call_next, current)  # the leg contains what it raises
        if current is not None:
            return await _contained(ctx, lambda passed: self._in_session(passed, call_next, current))
        if not self._engine.is_running or ctx.request_id is None or _is_phantom(ctx):
            return await _contained(ctx, call_next)
        return await self._record(ctx, call_next)

    def _learning(self, call_next: CallNext) -> CallNext:
        """Read the marks of a low-level server's tools from the lists that it gives its clients."""

        async def learn(ctx: ServerRequestContext[Any, Any]) -> HandlerResult:
            result = await call_next(ctx)
            self._marks.learn(result)
            return result

        return learn

    # -- messages that the leg records ---------------------------------------------------------

    async def _in_session(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext, current: CurrentCall
    ) -> HandlerResult:
        if ctx.method == "tools/call":
            return with_failure(await call_next(ctx), current.call)
        if ctx.method == "initialize" and self._engine.settings.announcements:
            return _declaring_logging(await call_next(ctx))
        if ctx.method != "logging/setLevel" or not self._engine.settings.announcements:
            return await call_next(ctx)
        level = (ctx.params or {}).get("level")
        if level not in LEVELS:
            return await call_next(ctx)
        result: HandlerResult = {}
        if self._server.get_request_handler("logging/setLevel") is not None:
            result = await call_next(ctx)
        current.session.record.log_level = level
        current.session.touch()
        return result

    # -- messages of the newer era -------------------------------------------------------------

    async def _record(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        bad_handle: str | None = None
        try:
            session = self._handles.of_request(ctx)
            if session is None:
                session = self._clients.of_request(ctx)
                bad_handle = await self._handles.refuse(ctx)
        except StoreUnavailable:
            if ctx.method == LISTEN:
                # Nobody could see or end it, and nothing would end it with its token.
                text = "The server cannot keep track of another listen stream just now: listen again in a moment."
                raise MCPError(INTERNAL_ERROR, text) from None
            return await call_next(ctx)  # served all the same; the health page says what the log lacks
        assert ctx.request_id is not None  # `__call__` records requests alone
        key = id_text(ctx.request_id)
        session.heard(time.monotonic())
        marks = await self._marks_of(ctx)
        call = self._begin(session, ctx, key, marks)
        call.bad_handle = bad_handle
        running = CurrentCall(self._engine, session, call)
        token = current_call.set(running)
        answer: EarlyAnswer | None = None
        result: HandlerResult = None
        call.task = asyncio.current_task()
        if isinstance(ctx.request, ReadRequest) and (reply := ctx.request.reply) is not None:
            reply.belongs_to(running)
            call.on_abort = partial(self._answer_early, session, call, key, reply)
        try:
            with call.scope:
                call.scope.shield = False  # a broken connection is how this era cancels a request
                result = with_failure(await call_next(ctx), call)
                if isinstance(result, ErrorData):
                    raise MCPError.from_error_data(result)  # which another middleware has returned
            if call.abort is not None:
                answer = call.abort
                raise MCPError(answer.code, answer.message, answer.data)
            return result
        except MCPError as error:
            answer = EarlyAnswer(error.error.code, error.error.message, error.error.data)
            raise
        except ValidationError:
            answer = EarlyAnswer(INVALID_PARAMS, "Invalid request parameters")
            raise
        except Exception:
            answer = EarlyAnswer(INTERNAL_ERROR, "Internal server error")
            raise
        except BaseException as error:
            if call.takes_back_interrupt() and call.abort is not None:
                answer = call.abort
                raise MCPError(answer.code, answer.message, answer.data) from None
            if isinstance(error, asyncio.CancelledError) and is_cancelled_from_outside():
                answer = EarlyAnswer(REQUEST_CANCELLED, "The client closed the connection before the answer")
                raise
            # The SDK would let it end the task group that every other call runs in.
            logger.exception("the handler of %s raised", ctx.method)
            answer = EarlyAnswer(INTERNAL_ERROR, "Internal server error")
            raise MCPError(answer.code, answer.message) from error
        finally:
            call.task = None
            current_call.reset(token)
            self._finish(session, call, key, answer, result)

    def _answer_early(self, session: LiveSession, call: Call, key: str, reply: Reply, answer: EarlyAnswer) -> None:
        """Answer for a handler that ignores its cancellation."""
        self._finish(session, call, key, answer, None)
        reply.answer_early(answer)

    async def _marks_of(self, ctx: ServerRequestContext[Any, Any]) -> Marks | None:
        if ctx.method != "tools/call":
            return None
        name = (ctx.params or {}).get("name")
        if self._marks.is_followed and self._marks.must_load(name):
            await self._marks.load()
        return self._marks.find(name)

    def _begin(self, session: LiveSession, ctx: ServerRequestContext[Any, Any], key: str, marks: Marks | None) -> Call:
        seq = session.record.last_seq + 1
        call = Call(seq, key, ctx.method, ctx.params)
        if (handle := handle_argument(ctx.params)) is not None and looks_like_handle(handle):
            call.secrets = [handle]
        params = dict(ctx.params or {})
        message = {"jsonrpc": "2.0", "id": ctx.request_id, "method": ctx.method, "params": params}
        text = encode(message)
        session.record.bytes_in += (size := len(text))
        if (kept := self._forms.masked(ctx.method, params, call.hidden)) is not params:
            message = {**message, "params": without(call.hidden, kept)}
            text = encode(message)
        if marks is not None:
            call.marks, text = marks, masked_request(marks, message, call.hidden)
        payload = call.masked(text)
        try:
            session.write(
                Direction.FROM_CLIENT,
                EventKind.REQUEST,
                ctx.method,
                payload,
                stream=OWN_STREAM,
                request_id=key,
                size_bytes=size,
            )
        except Overloaded:
            session.touch()  # the call is served all the same; the health page says what the log lacks
        if session.calls is None:
            session.calls = {}
        # Ids are the client's own and may repeat between its connections: the number keeps them apart, and what is
        # added to it does where the store had no room for the row that would have taken the number.
        call.slot = f"{key}#{seq}"
        while call.slot in session.calls:
            call.slot += "+"
        session.calls[call.slot] = call
        return call

    def _finish(
        self, session: LiveSession, call: Call, key: str, answer: EarlyAnswer | None, result: HandlerResult
    ) -> None:
        if call.is_settled:
            return  # it was answered in its handler's place
        call.mark_settled()
        call.on_abort = None
        if session.calls is not None:
            session.calls.pop(call.slot, None)
        outcome = answer or _as_dict(result)
        if isinstance(outcome, dict):
            self._forms.learn(call.method, call.params, outcome)
        is_error, text, error_code = answer_text(key, outcome)
        size = len(text)
        if call.marks is not None or call.hidden:
            text = masked_answer(call, text)
        payload = call.masked(text)
        self._engine.answered(session, call, is_error)
        session.record.bytes_out += size
        if session.early_end is not None:
            return
        try:
            session.write(
                Direction.FROM_SERVER,
                EventKind.ERROR if answer else EventKind.RESPONSE,
                call.method,
                payload,
                stream=call.seq,
                request_id=key,
                duration_us=call.duration_us,
                error_code=error_code,
                related_seq=call.seq,
                size_bytes=size,
            )
        except Overloaded:
            session.touch()


def _declaring_logging(result: HandlerResult) -> HandlerResult:
    """Return the answer to `initialize` with `logging` among the capabilities: operators' messages need it."""
    if isinstance(result, InitializeResult) and result.capabilities.logging is None:
        capabilities = result.capabilities.model_copy(update={"logging": LoggingCapability()})
        return result.model_copy(update={"capabilities": capabilities})
    if isinstance(result, Mapping) and "capabilities" in result:
        return {**result, "capabilities": {"logging": {}, **result["capabilities"]}}
    return result


async def _contained(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Run a handler in a task group of the SDK, which a `BaseException` would end with every other call in it.

    Raises:
        MCPError: The handler of a request raised one; a notification's is answered by nothing.
    """
    try:
        return await call_next(ctx)
    except Exception:
        raise
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError) and is_cancelled_from_outside():
            raise
        logger.exception("the handler of %s raised", ctx.method)
        if ctx.request_id is None:
            return None
        raise MCPError(INTERNAL_ERROR, "Internal server error") from error


def _is_phantom(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Whether this is the SDK's own `tools/list` before a `tools/call` (2.3, header validation)."""
    if ctx.method != "tools/list" or ctx.request is None or ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return False
    named = getattr(ctx.request, "headers", {}).get("mcp-method")
    return named is not None and named != "tools/list"


def _as_dict(result: HandlerResult) -> dict[str, Any]:
    if isinstance(result, BaseModel):
        return result.model_dump(by_alias=True, mode="json", exclude_none=True)
    return dict(result) if isinstance(result, Mapping) else {}
