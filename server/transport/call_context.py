"""What the SDK's kernel is given for each message: its transport's facts, and the way back to the client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import progress_token_from_params
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from starlette.requests import Request

from ..current import current_call
from ..engine.calls import Call
from .emitter import Emitter


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
        params: Mapping[str, Any] | None = None,
    ) -> None:
        self._emitter = emitter
        self._call = call
        self._is_open = True
        self._progress_token = progress_token_from_params(params)
        self.request_id = request_id
        self.transport = transport
        self.message_metadata = metadata

    @property
    def can_send_request(self) -> bool:
        return self.transport.can_send_request and self._is_open

    @property
    def cancel_requested(self) -> anyio.Event:
        call = self._running
        if call is None:
            return anyio.Event()
        if call.cancel_requested is None:
            call.cancel_requested = anyio.Event()
            if call.abort is not None:
                call.cancel_requested.set()
        return call.cancel_requested

    @property
    def _running(self) -> Call | None:
        """The call that is answered; without a session, the recorder made it after this."""
        current = current_call.get() if self._call is None else None
        return self._call if current is None else current.call

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
        if (call := self._running) is not None:
            call.progress, call.total = progress, total
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
