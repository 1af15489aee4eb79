"""What one request of the 2026-07-28 era is answered with: a JSON body, or a stream from its first notification on.

Such a stream cannot be resumed (2026-07-28, basic, transports): it is written straight to the connection, by whoever
has something to say, and a connection that breaks cancels its request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import anyio
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from starlette.types import Receive, Send

from ..current import current_call
from ..engine.deadlines import Deadline, Deadlines
from ..errors import Overloaded
from ..models import Direction, EventKind
from .http import JSON_TYPE, SSE_HEADERS, send_body
from .masking import masked_text
from .messages import encode
from .sse import PING

logger = logging.getLogger(__name__)


class Timing:
    """The waits that all replies of one mounted server share, in seconds."""

    def __init__(self, *, watch_after: float, ping: float, send_timeout: float) -> None:
        self.watches = Deadlines(watch_after)
        """Until the client of a request that is not answered yet is watched: most are answered before."""
        self.pings = Deadlines(ping)
        self.send_timeout = send_timeout


class ModernReply:
    """Answers one request; takes its notifications until then. Implements `Emitter`."""

    __slots__ = ("_is_live", "_is_over", "_lock", "_ping", "_receive", "_send", "_tasks", "_timing", "_watch", "scope")

    def __init__(self, receive: Receive, send: Send, timing: Timing, *, can_stream: bool) -> None:
        self.scope = anyio.CancelScope()
        """What the handler runs in; cancelled when the client leaves."""
        self._receive = receive
        self._send = send
        self._timing = timing
        self._is_live = False
        self._is_over = False
        self._lock: asyncio.Lock | None = None
        self._tasks: list[asyncio.Task[None]] | None = None
        self._watch = timing.watches.add(self._watch_client)
        self._ping: Deadline | None = timing.pings.add(self._keep_alive) if can_stream else None

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
        _record(method, text)
        await self._write(_frame(text))

    async def request(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None) -> dict[str, Any]:
        raise NoBackChannelError(method)

    # -- the answer ----------------------------------------------------------------------------

    async def answer(self, status: int, text: str) -> None:
        """Send the answer, which ends the stream where one was opened.

        Args:
            status: Of an answer that is one body.
            text: The JSON-RPC message, in ASCII.
        """
        if self._is_live:
            await self._write(_frame(text), is_last=True)
        elif not self._is_over:
            self._is_over = True
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

    async def _write(self, body: bytes, *, is_last: bool = False) -> None:
        if self._lock is None:
            self._lock = asyncio.Lock()  # a handler's tasks, an operator's message and the pings take turns
        async with self._lock:
            if self._is_over:
                return
            try:
                async with asyncio.timeout(self._timing.send_timeout):
                    if not self._is_live:
                        self._is_live = True
                        await self._send({"type": "http.response.start", "status": 200, "headers": [*SSE_HEADERS]})
                    await self._send({"type": "http.response.body", "body": body, "more_body": not is_last})
            except (TimeoutError, OSError):
                logger.info("a reader of the newer era is too slow, or gone: its request was cancelled")
                self._leave()
            self._is_over = self._is_over or is_last

    def _watch_client(self) -> None:
        self._start(self._wait_for_end())

    async def _wait_for_end(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave()

    def _leave(self) -> None:
        self._is_over = True
        self.scope.cancel()

    def _keep_alive(self) -> None:
        """Write a comment, so that no proxy takes a silent request for a dead one; it opens the stream."""
        self._ping = self._timing.pings.add(self._keep_alive)
        self._start(self._write(PING))

    def _start(self, work: Any) -> None:
        tasks = [task for task in self._tasks or () if not task.done()]
        self._tasks = [*tasks, asyncio.get_running_loop().create_task(work)]


def _frame(text: str) -> bytes:
    return f"event: message\ndata: {text}\n\n".encode("ascii")


def _record(method: str, text: str) -> None:
    """Put a notification into the log of the call that sends it; a listen stream's say what is logged elsewhere."""
    running = current_call.get()
    if running is None or (call := running.call) is None or call.is_settled or call.method == "subscriptions/listen":
        return
    kept = masked_text(call.hidden, text) if call.hidden else text
    try:
        running.session.write(
            Direction.FROM_SERVER,
            EventKind.NOTIFICATION,
            method,
            call.masked(kept),
            stream=call.seq,
            size_bytes=len(text),
        )
    except Overloaded:
        running.session.touch()  # delivered all the same; the health page says what the log lacks
    running.session.record.bytes_out += len(text)
