"""The one module that touches the SDK's kernel, `ServerRunner` and `Connection`; `call_context.py` is what it is given.

Tested with one minor version of `mcp`; start-up refuses another in one sentence.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack
from typing import Any

from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import ServerRunner, aclose_shielded, modern_error_data
from mcp.shared.dispatcher import DispatchContext, Outbound
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import InboundModernRoute
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data
from mcp.shared.transport_context import TransportContext
from mcp_types import INTERNAL_ERROR, InitializeRequestParams
from pydantic import ValidationError
from starlette.requests import Request

from ..engine.calls import REQUEST_CANCELLED, Call, EarlyAnswer, is_cancelled_from_outside
from ..errors import StartupError
from .call_context import CallContext, message_context
from .emitter import Emitter, NoEmitter

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
        has_resources: bool,
    ) -> None:
        self.connection = Connection.for_loop(outbound, session_id=secret)
        self._stack = self.connection.exit_stack = ResidentStack()
        options = server.create_initialization_options()
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

    async def list_tools(
        self, context: DispatchContext[TransportContext], cursor: str | None
    ) -> Mapping[str, Any] | None:
        """Return a page of a `tools/list` of our own, the first without a cursor; `None` where there is none."""
        try:
            return await self.runner.on_request(context, "tools/list", None if cursor is None else {"cursor": cursor})
        except Exception:
            logger.warning(
                "the server did not list its tools: what they mark as secret is known once a client lists them"
            )
            return None

    async def close(self) -> None:
        """Run the connection's clean-ups, bounded, shielded and contained."""
        await contained(aclose_shielded(self.connection), "a clean-up of a session")
        _let_go(self.runner)


def _let_go(runner: ServerRunner[Any]) -> None:
    """Drop a runner's own bound methods: they would keep it, and all it holds, until the cyclic collector comes by."""
    for cached in ("on_request", "on_notify"):
        vars(runner).pop(cached, None)


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
        if isinstance(error, Exception):
            outcome = EarlyAnswer(0, str(error) or type(error).__name__)
        else:
            outcome = EarlyAnswer(INTERNAL_ERROR, "Internal server error")
    finally:
        call.task = None
        context.close()
    if call.abort is not None:
        return call.abort  # whatever the handler made of it: its client is told why it was cancelled
    if outcome is None:  # cancelled by the SDK's own means
        return EarlyAnswer(REQUEST_CANCELLED, "Request cancelled")
    return outcome


class SessionlessCall:
    """One request of the 2026-07-28 era, with the connection that lasts as long as it does."""

    __slots__ = ("_lifespan_state", "_metadata", "_request_id", "_route", "_server", "_transport")

    def __init__(
        self,
        server: Server[Any],
        lifespan_state: Any,
        request: Request,
        route: InboundModernRoute,
        request_id: str | int | None,
    ) -> None:
        self._server = server
        self._lifespan_state = lifespan_state
        self._route = route
        self._request_id = request_id
        self._transport, self._metadata = message_context(request, can_send_request=False, closers=None)

    async def run(
        self,
        emitter: Emitter,
        method: str,
        params: Mapping[str, Any] | None,
        *,
        as_recorded: Callable[[], AbstractContextManager[object]],
    ) -> dict[str, Any] | EarlyAnswer:
        """Run the request's handler and return its result, or the error its client gets.

        Args:
            as_recorded: Makes the request's call the running one, so that what is logged of it keeps its secrets.

        Nothing a handler raises leaves this method, except a cancellation that was asked for.
        """
        try:
            return await self._serve(emitter, method, params)
        except Exception as error:
            with as_recorded():
                data = modern_error_data(error)
            return EarlyAnswer(data.code, data.message, data.data)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and is_cancelled_from_outside():
                raise
            with as_recorded():
                logger.exception("the handler of %s raised", method)
            return EarlyAnswer(INTERNAL_ERROR, "Internal server error")

    async def list_tools(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of a `tools/list` as this request's client would get it.

        Raises:
            Exception: Whatever the server's handler raises; no `BaseException` but a cancellation that was asked for.
        """
        try:
            return await self._serve(NoEmitter(), "tools/list", params)
        except Exception:
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and is_cancelled_from_outside():
                raise
            raise RuntimeError(f"the handler of tools/list raised {type(error).__name__}") from error

    async def _serve(self, emitter: Emitter, method: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
        route = self._route
        connection = Connection.from_envelope(route.protocol_version, route.client_info, route.client_capabilities)
        stack = connection.exit_stack = ResidentStack()
        context = CallContext(emitter, None, self._request_id, self._transport, self._metadata, params)
        runner = ServerRunner(self._server, connection, self._lifespan_state)
        try:
            return await runner.on_request(context, method, params)
        finally:
            context.close()
            _let_go(runner)
            if stack.is_used:
                await aclose_shielded(connection)
