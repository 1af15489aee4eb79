"""stdio: one session for the life of the process, its messages recorded as they pass.

The SDK reads and writes; this sits on the two streams between it and the server. The session ends
with the client's end of standard input, and an operator's expiry ends the process' MCP side.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import getpass
import os
import sys
from types import TracebackType
from typing import Any, Self

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from ..current import CurrentCall, current_call
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..engine.streams import OpenStream
from ..models import STANDALONE_STREAM, SessionKind, SessionState
from .tool_marks import ToolMarks
from .wire import WireRecorder

_FLUSH_SECONDS = 0.1
"""The SDK's writer hands a message over before it has flushed it; this is its time to do so at the end."""


class RecordedReads:
    """The server's read stream: what the client wrote, recorded, and what operators put in between."""

    def __init__(self, inner: Any, engine: Engine, session: LiveSession) -> None:
        self._inner = inner
        self._engine = engine
        self._session = session
        self._injected: asyncio.Queue[SessionMessage] = asyncio.Queue()
        self._reading: asyncio.Future[Any] | None = None
        self.recorder: WireRecorder | None = None
        self.last_context: contextvars.Context | None = None
        """The SDK runs each message's handler in this context, so that tools find their session."""

    async def inject(self, raw: dict[str, Any]) -> None:
        """Hand the server a message as if the client had sent it."""
        self._injected.put_nowait(SessionMessage(jsonrpc_message_adapter.validate_python(raw, by_name=False)))

    async def receive(self) -> SessionMessage | Exception:
        item: SessionMessage | Exception = await self._next()
        call = None
        if isinstance(item, SessionMessage) and self.recorder is not None:
            await self.recorder.prepare()
            call = self.recorder.from_client(as_dict(item))
        self.last_context = contextvars.copy_context()
        self.last_context.run(current_call.set, CurrentCall(self._engine, self._session, call))
        return item

    async def _next(self) -> SessionMessage | Exception:
        reading = self._reading
        if reading is None:
            reading = self._reading = asyncio.ensure_future(self._inner.receive())
        injected = asyncio.ensure_future(self._injected.get())
        waiting: list[asyncio.Future[Any]] = [reading, injected]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if injected.done():
                return injected.result()
        finally:
            injected.cancel()
        self._reading = None
        item: SessionMessage | Exception = await reading
        return item

    async def aclose(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        await self._inner.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.aclose()


class RecordedWrites:
    """The server's write stream: what it says is recorded and passed on."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.recorder: WireRecorder | None = None
        self.opened: OpenStream | None = None

    async def inject(self, raw: dict[str, Any]) -> None:
        """Write a message past the server."""
        await self._inner.send(SessionMessage(jsonrpc_message_adapter.validate_python(raw, by_name=False)))

    async def send(self, item: SessionMessage) -> None:
        if self.recorder is None or self.recorder.from_server(as_dict(item)):
            await self._inner.send(item)
            if self.opened is not None:
                self.opened.wrote(1)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.aclose()


def as_dict(item: SessionMessage) -> dict[str, Any]:
    """Return a message as its JSON object."""
    return item.message.model_dump(by_alias=True, mode="json", exclude_unset=True)


def _user() -> str:
    """Return who runs the process; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


async def serve_stdio(engine: Engine, server: Server[Any], server_name: str, marks: ToolMarks) -> None:
    """Serve one session over standard input and output until either side ends it."""
    session = engine.open(
        SessionKind.STDIO,
        None,
        server=server_name,
        principal=_user(),
        address="stdio",
        state=SessionState.NOT_INITIALIZED,
    )
    options = server.create_initialization_options()
    with anyio.CancelScope() as scope:
        async with stdio_server() as (read, write):
            reads, writes = RecordedReads(read, engine, session), RecordedWrites(write)
            recorder = WireRecorder(engine, session, marks, to_client=writes.inject, to_server=reads.inject)
            reads.recorder = writes.recorder = recorder
            loop = asyncio.get_running_loop()
            opened = OpenStream(STANDALONE_STREAM, "stdio", lambda: loop.call_later(_FLUSH_SECONDS, scope.cancel))
            session.streams = [opened]
            writes.opened = opened
            async with anyio.create_task_group() as group:
                group.start_soon(recorder.deliver, opened)
                await server.run(reads, writes, options)
                group.cancel_scope.cancel()
    session.streams = None
    # The SDK kept the wire from what tools print; what closes with the session may print as well.
    with contextlib.redirect_stdout(sys.stderr):
        await engine.end_connection(session)
