"""What one request of the 2026-07-28 era is answered with: a JSON body, or a stream from its first notification on.

Such a stream cannot be resumed (2026-07-28, basic, transports): it is written straight to the connection, by whoever
has something to say, and a connection that breaks cancels its request.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import anyio
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS
from starlette.types import Message, Receive, Send

from ..current import CurrentCall, current_call
from ..engine.calls import EarlyAnswer
from ..engine.deadlines import Deadline, Deadlines, hurry
from ..engine.engine import Engine
from ..engine.streams import OpenStream
from ..errors import Overloaded
from ..models import LISTEN, Direction, EventKind
from .http import JSON_TYPE, SSE_HEADERS, send_body
from .masking import masked_text
from .messages import answer_text, encode
from .sse import PING

logger = logging.getLogger(__name__)


class Timing:
    """The waits that all replies of one mounted server share."""

    def __init__(self, engine: Engine) -> None:
        settings = engine.settings
        self.watches = Deadlines(settings.stream_after_seconds)
        """Until the client of a request that is not answered yet is watched: most are answered before."""
        self.pings = Deadlines(settings.ping_seconds)
        self.send_timeout = settings.send_timeout_seconds
        self.writing: set[asyncio.Timeout] = set()
        """The limits of the writes under way."""
        self._engine = engine
        engine.on_drain.append(self._hurry_all)

    def is_late(self, opened: OpenStream | None) -> bool:
        """Whether a write that begins now is the last of its stream, and waits for nobody."""
        return self._engine.is_stopping or (opened is not None and opened.is_closed)

    def _hurry_all(self) -> None:
        for limit in self.writing:
            hurry(limit)


class ModernReply:
    """Answers one request; takes its notifications until then. Implements `Emitter` and `Reply`."""

    __slots__ = (
        "_early",
        "_is_live",
        "_is_over",
        "_lock",
        "_ping",
        "_receive",
        "_running",
        "_send",
        "_tasks",
        "_timing",
        "_watch",
        "scope",
    )

    def __init__(self, receive: Receive, send: Send, timing: Timing) -> None:
        self.scope = anyio.CancelScope()
        """What the handler runs in; cancelled when the client leaves."""
        self._receive = receive
        self._send = send
        self._timing = timing
        self._running: CurrentCall | None = None
        self._is_live = False
        self._is_over = False
        self._lock: asyncio.Lock | None = None
        self._tasks: list[asyncio.Task[None]] | None = None
        self._early: asyncio.Task[None] | None = None
        self._watch = timing.watches.add(self._watch_client)
        self._ping: Deadline | None = None

    def may_stream(self) -> None:
        """Take notifications from now on, and keep the connection alive: the answer may become a stream."""
        self._ping = self._timing.pings.add(self._keep_alive)

    def belongs_to(self, running: CurrentCall) -> None:
        """The request is recorded as this call: what is said on the way to the answer goes into its log."""
        self._running = running

    @contextmanager
    def as_recorded(self) -> Generator[None]:
        """Make the request's call the running one, where it is recorded."""
        token = current_call.set(self._running)
        try:
            yield
        finally:
            current_call.reset(token)

    # -- what the handler says -----------------------------------------------------------------

    async def notify(self, method: str, params: Mapping[str, Any] | None) -> None:
        """Write a notification to the stream; the first one opens it. Dropped where the answer is one body."""
        if self._ping is None or self._is_over:
            logger.debug("dropped %s: its request has no stream", method)
            await asyncio.sleep(0)  # lets a handler that only ever notifies hear that its client has left
            return
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        text = encode(message)
        if self._running is not None:
            _record(self._running, method, text)
        await self._write(_frame(text))

    async def request(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None) -> dict[str, Any]:
        raise NoBackChannelError(method)

    # -- the answer ----------------------------------------------------------------------------

    async def answer(self, key: str, outcome: dict[str, Any] | EarlyAnswer) -> None:
        """Send the answer, once; it ends the stream where one was opened.

        Args:
            key: The request's id as JSON text.
        """
        _, text, code = answer_text(key, outcome)
        if self._lock is None:
            await self._end(ERROR_CODE_HTTP_STATUS.get(code or 0, 200), text)
        else:
            async with self._lock:  # a ping, or what a task of the handler says, may be on its way
                await self._end(ERROR_CODE_HTTP_STATUS.get(code or 0, 200), text)
        if self._early is not None and self._early is not asyncio.current_task():
            await asyncio.wait({self._early})

    def answer_early(self, answer: EarlyAnswer) -> None:
        """Answer in place of a handler that ignores its cancellation; what it returns later goes nowhere."""
        if self._running is not None and (call := self._running.call) is not None:
            self._early = asyncio.get_running_loop().create_task(self.answer(call.key, answer))

    async def _end(self, status: int, text: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        if self._is_live:
            await self._bounded({"type": "http.response.body", "body": _frame(text)})
        else:
            await send_body(self._send, status, [JSON_TYPE], text.encode("ascii"))

    def close(self) -> None:
        """Let go of everything: the request is over."""
        self._is_over = True
        self._watch.cancel()
        if self._ping is not None:
            self._ping.cancel()
        for task in self._tasks or ():
            task.cancel()

    # -- the connection ------------------------------------------------------------------------

    async def _write(self, body: bytes) -> None:
        if self._lock is None:
            self._lock = asyncio.Lock()  # a handler's tasks, an operator's message and the pings take turns
        async with self._lock:
            if not self._is_live and not self._is_over:
                await self._bounded({"type": "http.response.start", "status": 200, "headers": [*SSE_HEADERS]})
                self._is_live = True
            if not self._is_over:
                await self._bounded({"type": "http.response.body", "body": body, "more_body": True})

    async def _bounded(self, message: Message) -> None:
        """Send one message; a client that does not take it in time has its request cancelled."""
        timing, opened = self._timing, self._opened
        if opened is not None:
            opened.blocked_since = time.time()
        limit = asyncio.timeout(timing.send_timeout)
        try:
            async with limit:
                timing.writing.add(limit)
                if timing.is_late(opened):
                    hurry(limit)
                await self._send(message)
                if opened is not None:
                    opened.written_at = time.time()
        except OSError:  # `TimeoutError` is one
            self._cut(opened, is_slow=limit.expired())
        finally:
            timing.writing.discard(limit)
            if opened is not None:
                opened.blocked_since = None

    def _cut(self, opened: OpenStream | None, *, is_slow: bool) -> None:
        logger.info("a reader of the newer era is %s: its request was cancelled", "too slow" if is_slow else "gone")
        if opened is not None:
            opened.is_slow = is_slow
            opened.write_errors += not is_slow
            opened.is_closed = True
        self._leave()

    @property
    def _opened(self) -> OpenStream | None:
        """The stream as the console lists it; only listen streams are listed."""
        call = self._running.call if self._running is not None else None
        return call.opened if call is not None else None

    def _watch_client(self) -> None:
        self._start(self._wait_for_end())

    async def _wait_for_end(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if (opened := self._opened) is not None:
            opened.is_lost = not opened.is_closed
        self._leave()

    def _leave(self) -> None:
        self._is_over = True
        self.scope.cancel()

    def _keep_alive(self) -> None:
        """Write a comment, so that no proxy takes a silent request for a dead one; it opens the stream."""
        self._ping = self._timing.pings.add(self._keep_alive)
        self._start(self._write(PING))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        tasks = [task for task in self._tasks or () if not task.done()]
        self._tasks = [*tasks, asyncio.get_running_loop().create_task(work)]


def _frame(text: str) -> bytes:
    return f"event: message\ndata: {text}\n\n".encode("ascii")


def _record(running: CurrentCall, method: str, text: str) -> None:
    """Put a notification into the log of the call on whose stream it goes, whoever says it.

    What a listen stream says is logged elsewhere.
    """
    session, call = running.session, running.call
    if call is None or call.is_settled or call.method == LISTEN:
        return
    kept = call.masked(masked_text(call.hidden, text) if call.hidden else text)
    sender = current_call.get()
    if sender is not None and (other := sender.call) is not None and other is not call:
        kept = other.masked(masked_text(other.hidden, kept) if other.hidden else kept)
    try:
        session.write(
            Direction.FROM_SERVER, EventKind.NOTIFICATION, method, kept, stream=call.seq, size_bytes=len(text)
        )
    except Overloaded:
        session.touch()  # delivered all the same; the health page says what the log lacks
    session.record.bytes_out += len(text)
