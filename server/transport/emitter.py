"""What the server says to a client unasked: notifications and requests, on one stream of its log.

Everything is appended to the session's log; the stream's reader sends it from there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, cast

from mcp.shared.dispatcher import CallOptions, ProgressFnT
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT, ErrorData

from ..current import current_call
from ..engine.calls import Call, EarlyAnswer
from ..engine.session import LiveSession, forget_outcome
from ..errors import Overloaded
from ..ids import new_reference
from ..marks import Mask
from ..models import Direction, EventKind
from .masking import mask_of_form, masked_text, seal_next
from .messages import encode

logger = logging.getLogger(__name__)

_ROOM_ATTEMPTS = 40
_ROOM_SECONDS = 0.05
"""A full store queue is waited for 40 x 50 ms before a notification, which is advisory, is given up."""


class Emitter(Protocol):
    """Where a handler's notifications and requests to the client go."""

    async def notify(self, method: str, params: Mapping[str, Any] | None) -> None:
        """Send a notification. Never raises: notifications are advisory."""
        ...

    async def request(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None) -> dict[str, Any]:
        """Send a request and return the client's result.

        Raises:
            MCPError: The client answered with an error, did not answer in time, or is gone.
            NoBackChannelError: This stream cannot carry requests.
        """
        ...


class PendingAnswer:
    """A request to the client that waits for its answer."""

    __slots__ = ("_future", "form", "hidden", "on_progress")

    def __init__(self, on_progress: ProgressFnT | None, form: Mask | None = None) -> None:
        self._future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.on_progress = on_progress
        self.form = form
        """What is secret in the answer."""
        running = current_call.get()
        self.hidden = running.call.hidden if running is not None and running.call is not None else []
        """Secrets of the call that asks."""

    def resolve(self, answer: Mapping[str, Any]) -> None:
        """Hand over the client's answer; a second one is ignored."""
        if self._future.done():
            return
        error = answer.get("error")
        if error is None:
            self._future.set_result({**_mapping(answer.get("result"))})
        else:
            self._future.set_exception(MCPError.from_error_data(_error_data(error)))

    def fail(self, answer: EarlyAnswer) -> None:
        """Wake the waiter: the session has ended."""
        if not self._future.done():
            self._future.set_exception(MCPError(CONNECTION_CLOSED, answer.message))

    async def wait(self, timeout: float) -> dict[str, Any]:
        async with asyncio.timeout(timeout):
            return await self._future


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _error_data(error: object) -> ErrorData:
    fields = _mapping(error)
    if isinstance(code := fields.get("code"), int):
        return ErrorData(code=code, message=str(fields.get("message", "")), data=fields.get("data"))
    return ErrorData(code=-32603, message="The client answered with a malformed error")


class StreamEmitter:
    """Emits on one stream of a session."""

    __slots__ = ("_before", "_call", "_room", "_session", "_stream", "_timeout")

    def __init__(
        self,
        session: LiveSession,
        stream: int,
        timeout: float,
        *,
        call: Call | None = None,
        before: Callable[[], None] | None = None,
        room: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        self._session = session
        self._stream = stream
        self._timeout = timeout
        self._call = call
        self._before = before
        """Called before the first row is appended: makes the answer a live stream."""
        self._room = room
        """Awaited with the row's size: holds back a handler that outruns its reader."""

    async def notify(self, method: str, params: Mapping[str, Any] | None) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        await self._emit(EventKind.NOTIFICATION, method, encode(message), None)

    async def _emit(self, kind: EventKind, method: str, payload: str, request_id: str | None) -> bool:
        session = self._session
        if session.early_end is not None or (self._call is not None and self._call.is_settled):
            return False
        if self._before is not None:
            self._before()
        running = current_call.get()
        kept = payload
        if running is not None and running.call is not None and running.call.hidden:
            kept = masked_text(running.call.hidden, payload)
        for _ in range(_ROOM_ATTEMPTS):
            sealed = None if kept is payload or running is None else seal_next(running.engine.ring, session, payload)
            try:
                _, future = session.append(
                    Direction.FROM_SERVER,
                    kind,
                    method,
                    kept,
                    stream=self._stream,
                    request_id=request_id,
                    size_bytes=len(payload),
                    sealed=sealed,
                )
            except Overloaded:
                await asyncio.sleep(_ROOM_SECONDS)
                continue
            future.add_done_callback(forget_outcome)
            session.record.bytes_out += len(payload)
            if self._room is not None:
                await self._room(len(payload))
            return True
        logger.warning("the store is overloaded: %s to session %s was dropped", method, session.record.id)
        return False

    async def request(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None) -> dict[str, Any]:
        options: CallOptions = opts or {}
        # Text that is no integer: a late answer after a revival can match nothing.
        request_id = "sr-" + new_reference()
        body = dict(params) if params is not None else {}
        if (on_progress := options.get("on_progress")) is not None:
            body["_meta"] = {**(body.get("_meta") or {}), "progressToken": request_id}
        message = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": body}
        waiting = PendingAnswer(on_progress, mask_of_form(method, body))
        session = self._session
        if session.pending is None:
            session.pending = {}
        session.pending[request_id] = waiting
        try:
            return await self._await_answer(method, encode(message), request_id, waiting, options)
        finally:
            session.pending.pop(request_id, None)

    async def _await_answer(
        self, method: str, payload: str, request_id: str, waiting: PendingAnswer, options: CallOptions
    ) -> dict[str, Any]:
        if not await self._emit(EventKind.REQUEST, method, payload, f'"{request_id}"'):
            raise MCPError(CONNECTION_CLOSED, "The session or the call has ended, or the store is overloaded")
        if self._call is not None:
            self._call.waiting += 1
            self._session.touch()
        timeout = min(options.get("timeout") or self._timeout, self._timeout)
        try:
            return await waiting.wait(timeout)
        except TimeoutError:
            await self._withdraw(request_id, f"no answer within {timeout:g} s")
            raise MCPError(REQUEST_TIMEOUT, f"The client did not answer {method} within {timeout:g} s") from None
        except asyncio.CancelledError:
            await self._withdraw(request_id, "the call that asked was cancelled")
            raise
        finally:
            if self._call is not None:
                self._call.waiting -= 1
                self._session.touch()

    async def _withdraw(self, request_id: str, reason: str) -> None:
        message = {
            "jsonrpc": "2.0",
            "method": "notifications/cancelled",
            "params": {"requestId": request_id, "reason": reason},
        }
        if self._session.early_end is None:
            try:
                self._session.append(
                    Direction.FROM_SERVER,
                    EventKind.NOTIFICATION,
                    "notifications/cancelled",
                    encode(message),
                    stream=self._stream,
                )[1].add_done_callback(forget_outcome)
            except Overloaded:
                logger.debug("the store is overloaded: a withdrawal was not sent")


class StandaloneOutbound:
    """The SDK's `Outbound` for a connection: the session's standalone stream."""

    __slots__ = ("_emitter",)

    def __init__(self, emitter: StreamEmitter) -> None:
        self._emitter = emitter

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        await self._emitter.notify(method, params)

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        return await self._emitter.request(method, params, opts)


class NoEmitter:
    """Where one body carries the answer alone: `json_response`, and every `initialize`."""

    __slots__ = ()

    async def notify(self, method: str, params: Mapping[str, Any] | None) -> None:
        logger.debug("dropped %s: its answer is one body and carries no notifications", method)

    async def request(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None) -> dict[str, Any]:
        raise NoBackChannelError(method)
