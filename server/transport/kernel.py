"""The one module that touches the SDK's kernel: `ServerRunner`, `Connection` and dispatch contexts.

Tested with one minor version of `mcp`; start-up refuses another in one sentence.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import logging
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import anyio
from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import ServerRunner, aclose_shielded
from mcp.shared.dispatcher import CallOptions, DispatchContext, Outbound
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data, progress_token_from_params
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import INTERNAL_ERROR, InitializeRequestParams, LoggingCapability
from pydantic import ValidationError
from starlette.requests import Request

from ..engine.calls import REQUEST_CANCELLED, Call, EarlyAnswer, is_cancelled_from_outside
from ..errors import StartupError
from .emitter import Emitter

logger = logging.getLogger(__name__)

TESTED_MCP = "2.3"
"""The minor version of `mcp` that the suites passed with."""


def check_version() -> None:
    """Refuse a version of `mcp` that Switchroom was not tested with.

    Raises:
        StartupError: The installed minor version is another one.
    """
    installed = importlib.metadata.version("mcp")
    if installed.split(".")[:2] != TESTED_MCP.split("."):
        raise StartupError(
            f"This release of Switchroom works with mcp {TESTED_MCP}, but {installed} is installed: "
            f"run pip install 'mcp=={TESTED_MCP}.*'."
        )


class ResidentStack(AsyncExitStack):
    """A connection's exit stack that knows whether anybody registered a clean-up with it.

    A session with clean-ups of its own does not hibernate: they belong to its end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_used = False

    def push(self, exit: Any) -> Any:
        self.is_used = True
        return super().push(exit)

    def push_async_exit(self, exit: Any) -> Any:
        self.is_used = True
        return super().push_async_exit(exit)

    def callback(self, callback: Any, /, *args: Any, **kwds: Any) -> Any:
        self.is_used = True
        return super().callback(callback, *args, **kwds)

    def push_async_callback(self, callback: Any, /, *args: Any, **kwds: Any) -> Any:
        self.is_used = True
        return super().push_async_callback(callback, *args, **kwds)

    def enter_context(self, cm: Any) -> Any:
        self.is_used = True
        return super().enter_context(cm)

    async def enter_async_context(self, cm: Any) -> Any:
        self.is_used = True
        return await super().enter_async_context(cm)


class Resident:
    """What the kernel keeps of one session while it is in use: a `Connection` and its runner."""

    __slots__ = ("_stack", "connection", "runner")

    def __init__(
        self,
        server: Server[Any],
        lifespan_state: Any,
        outbound: Outbound,
        secret: str | None,
        *,
        declares_logging: bool,
        has_resources: bool,
    ) -> None:
        self.connection = Connection.for_loop(outbound, session_id=secret)
        self._stack = self.connection.exit_stack = ResidentStack()
        options = server.create_initialization_options()
        if declares_logging and options.capabilities.logging is None:
            options.capabilities.logging = LoggingCapability()
        if not has_resources:
            options.capabilities.resources = None  # the announcements are for the newer era
        self.runner = ServerRunner(server, self.connection, lifespan_state, init_options=options)

    @property
    def can_hibernate(self) -> bool:
        """Whether dropping this loses nothing: no clean-ups, no `Connection.state`."""
        return not self._stack.is_used and not self.connection.state

    @property
    def is_accepted(self) -> bool:
        """Whether `initialize` has succeeded on this connection."""
        return self.connection.client_params is not None

    @property
    def protocol_version(self) -> str:
        return self.connection.protocol_version

    def restore(self, init: str, protocol_version: str, is_initialized: bool) -> None:
        """Put back what the handshake had negotiated, so that middleware sees one `initialize` only."""
        self.connection.client_params = InitializeRequestParams.model_validate(json.loads(init), by_name=False)
        self.connection.protocol_version = protocol_version
        if is_initialized:
            self.connection.initialized.set()

    async def notify(self, context: DispatchContext[TransportContext], method: str, params: Any) -> None:
        """Run a notification's handler. Nothing it raises leaves this method, `BaseException` included."""
        await contained(self.runner.on_notify(context, method, params), f"the handler of {method}")

    async def list_tools(self, context: DispatchContext[TransportContext]) -> object:
        """Return the result of a `tools/list` of our own, of the first page; `None` where there is none."""
        try:
            return await self.runner.on_request(context, "tools/list", None)
        except Exception:
            logger.warning(
                "the server did not list its tools: what they mark as secret is known once a client lists them"
            )
            return None

    async def close(self) -> None:
        """Run the connection's clean-ups, bounded, shielded and contained."""
        await contained(aclose_shielded(self.connection), "a clean-up of a session")
        # The runner keeps its own bound methods: left there, they hold all of this until the cyclic collector comes by.
        for cached in ("on_request", "on_notify"):
            vars(self.runner).pop(cached, None)


async def contained(work: Awaitable[object], what: str) -> None:
    """Run somebody else's code; only the server's own cancellation of the task is passed on.

    A `SystemExit` that left a task would end the event loop, and every session with it.
    """
    try:
        await work
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError) and is_cancelled_from_outside():
            raise
        logger.exception("%s raised", what)


class CallContext:
    """The SDK's `DispatchContext` for one message: our log is its way back to the client."""

    __slots__ = ("_call", "_emitter", "_is_open", "_progress_token", "message_metadata", "request_id", "transport")

    def __init__(
        self,
        emitter: Emitter,
        call: Call | None,
        request_id: str | int | None,
        transport: TransportContext,
        metadata: ServerMessageMetadata,
    ) -> None:
        self._emitter = emitter
        self._call = call
        self._is_open = True
        self._progress_token = progress_token_from_params(call.params) if call is not None else None
        self.request_id = request_id
        self.transport = transport
        self.message_metadata = metadata

    @property
    def can_send_request(self) -> bool:
        return self.transport.can_send_request and self._is_open

    @property
    def cancel_requested(self) -> anyio.Event:
        if self._call is None:
            return anyio.Event()
        if self._call.cancel_requested is None:
            self._call.cancel_requested = anyio.Event()
            if self._call.abort is not None:
                self._call.cancel_requested.set()
        return self._call.cancel_requested

    def close(self) -> None:
        """Refuse further use: the call is over."""
        self._is_open = False

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        if self._is_open:
            await self._emitter.notify(method, params)

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        if not self.can_send_request:
            raise NoBackChannelError(method)
        return await self._emitter.request(method, params, opts)

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        if self._call is not None:
            self._call.progress, self._call.total = progress, total
        if self._progress_token is None:
            return
        params: dict[str, Any] = {"progressToken": self._progress_token, "progress": progress}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        await self.notify("notifications/progress", params)


def message_context(
    request: Request, *, can_send_request: bool, closers: tuple[Any, Any] | None
) -> tuple[TransportContext, ServerMessageMetadata]:
    """Return what handlers see of the transport; `closers` end the call's and the standalone stream."""
    transport = TransportContext(kind="streamable-http", can_send_request=can_send_request, headers=request.headers)
    metadata = ServerMessageMetadata(request_context=request, can_send_request=can_send_request)
    if closers is not None:
        metadata.close_sse_stream, metadata.close_standalone_sse_stream = closers
    return transport, metadata


async def run_request(resident: Resident, context: CallContext, call: Call) -> dict[str, Any] | EarlyAnswer:
    """Run a request's handler and return its result, or the error its client gets.

    Nothing a handler raises leaves this function, `BaseException` included: only its own call fails.
    The exception is the server's own cancellation of the task, which is passed on.
    """
    outcome: dict[str, Any] | EarlyAnswer | None = None
    call.task = asyncio.current_task()
    try:
        with call.scope:
            outcome = await resident.runner.on_request(context, call.method, call.params)
    except asyncio.CancelledError:
        if not call.takes_back_interrupt() and is_cancelled_from_outside():
            raise
        outcome = EarlyAnswer(REQUEST_CANCELLED, "The handler cancelled itself")
    except (MCPError, ValidationError) as error:
        data = handler_exception_to_error_data(error)
        assert data is not None  # both types are mapped by the SDK's ladder
        outcome = EarlyAnswer(data.code, data.message, data.data)
    except BaseException as error:
        logger.exception("the handler of %s raised", call.method)
        # Code 0 and the text: what the SDK's own handshake-era wire answers (2.3, `_handle_request`).
        code = 0 if isinstance(error, Exception) else INTERNAL_ERROR
        outcome = EarlyAnswer(code, str(error) or type(error).__name__)
    finally:
        call.task = None
        context.close()
    if call.abort is not None:
        return call.abort  # whatever the handler made of it: its client is told why it was cancelled
    if outcome is None:  # cancelled by the SDK's own means
        return EarlyAnswer(REQUEST_CANCELLED, "Request cancelled")
    return outcome
