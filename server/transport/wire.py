"""Recording a connection that the SDK itself serves: HTTP+SSE and stdio.

Both carry one session per connection, as JSON-RPC messages in two directions. What passes is written
to the session's log; what an operator sends is read back from it and put on the connection.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from mcp.shared.jsonrpc_dispatcher import progress_token_from_params

from ..engine.calls import REQUEST_CANCELLED, Call, EarlyAnswer
from ..engine.engine import Engine
from ..engine.session import LiveSession, forget_outcome
from ..engine.streams import OpenStream
from ..errors import StoreUnavailable
from ..marks import Mask
from ..models import STANDALONE_STREAM, Direction, Event, EventKind, SessionState
from ..store.base import Tail
from .clients import describe_client, describe_modern_client, modern_version
from .masking import mask_of_form, masked_answer, masked_reply, masked_request, masked_text
from .messages import encode, error_text
from .tool_marks import ToolMarks

_RETRY_SECONDS = 1.0
_REMEMBERED_SECRETS = 256
"""Of answered calls of one connection."""

Inject = Callable[[dict[str, Any]], Awaitable[None]]


class WireRecorder:
    """One connection: counts, logs, and the way in for operators."""

    def __init__(
        self, engine: Engine, session: LiveSession, marks: ToolMarks, *, to_client: Inject, to_server: Inject
    ) -> None:
        """Args:
        to_client: Puts a message on the connection, past the SDK.
        to_server: Hands the SDK a message as if the client had sent it.
        """
        self._engine = engine
        self._session = session
        self._marks = marks
        self._to_client = to_client
        self._to_server = to_server
        self._waiting: dict[str, tuple[str, int, Mask | None]] = {}
        """Requests to the client: id as JSON text -> method, event number, and what is secret in the answer."""
        self._initialize_key: str | None = None
        self._told_lately: deque[str] = deque(maxlen=_REMEMBERED_SECRETS)
        """Secrets of calls that were answered: a tool's task may still speak after its call."""

    async def prepare(self) -> None:
        """Make sure that the marks of the server's tools are known before a message is recorded."""
        if self._marks.must_load(None):
            await self._marks.load()

    # -- what the client says ------------------------------------------------------------------

    def from_client(self, raw: Mapping[str, Any]) -> Call | None:
        """Record a message from the client; the call when it is a request."""
        session = self._session
        session.heard(asyncio.get_running_loop().time())
        payload = encode(dict(raw))
        session.record.bytes_in += len(payload)
        method = raw.get("method")
        params: Any = raw.get("params")
        if not isinstance(method, str):
            self._answered_by_client(raw, payload)
            return None
        if "id" not in raw:
            self._write(Direction.FROM_CLIENT, EventKind.NOTIFICATION, method, payload)
            if method == "notifications/cancelled" and isinstance(params, dict):
                self._cancelled_by_client(cast("dict[str, Any]", params).get("requestId"))
            if method == "notifications/initialized" and not session.record.is_initialized:
                session.record.is_initialized = True
                self._engine.set_state(session, SessionState.INITIALIZED, method)
            return None
        known = cast("dict[str, Any]", params) if isinstance(params, dict) else None
        return self._request(method, known, json.dumps(raw["id"]), raw, payload)

    def _request(
        self, method: str, params: dict[str, Any] | None, key: str, raw: Mapping[str, Any], payload: str
    ) -> Call:
        session = self._session
        call = Call(session.record.last_seq + 1, key, method, params)
        size = len(payload)
        if method == "tools/call" and (marks := self._marks.find((params or {}).get("name"))) is not None:
            call.marks, payload = marks, masked_request(marks, raw, call.hidden)
        self._write(Direction.FROM_CLIENT, EventKind.REQUEST, method, payload, request_id=key, size_bytes=size)
        call.on_cancel = lambda answer: self._engine.spawn(self._cancel(call, answer))
        session.calls = {**(session.calls or {}), key: call}
        if session.record.state is not SessionState.INITIALIZED and (version := modern_version(params)) is not None:
            # MCP 2026-07-28 on this connection: it has no handshake, and every request says who sends it.
            describe_modern_client(session, params, version)
            self._engine.set_state(session, SessionState.INITIALIZED, method)
        if method == "initialize":
            self._initialize_key = key
            describe_client(session, params)
            session.record.init = encode(params or {})
            self._engine.set_state(session, SessionState.INITIALIZING, "initialize")
        return call

    def _cancelled_by_client(self, request_id: object) -> None:
        """On these transports the SDK answers a cancelled request never, so it is over now."""
        session = self._session
        call = (session.calls or {}).get(json.dumps(request_id)) if isinstance(request_id, str | int) else None
        if call is not None:
            call.mark_settled()
            session.calls = {key: other for key, other in (session.calls or {}).items() if other is not call}
            session.touch()

    def _answered_by_client(self, raw: Mapping[str, Any], payload: str) -> None:
        key = json.dumps(raw.get("id"))
        method, seq, form = self._waiting.pop(key, (None, None, None))
        kind = EventKind.ERROR if "error" in raw else EventKind.RESPONSE
        size = len(payload)
        if (hidden := self._secrets()) or form is not None:
            payload = masked_reply(raw, hidden, form)
            self._told_lately.extend(hidden if form is not None else ())
        self._write(Direction.FROM_CLIENT, kind, method, payload, request_id=key, related_seq=seq, size_bytes=size)

    def _secrets(self) -> list[str]:
        """Return what to mask in a message of which nothing says whose it is: secrets of all calls, late ones too."""
        return [*{text for call in self._session.open_calls() for text in call.hidden}.union(self._told_lately)]

    # -- what the server says ------------------------------------------------------------------

    def from_server(self, raw: Mapping[str, Any]) -> bool:
        """Record a message from the server; `False` when it must not go out, its call being answered already."""
        payload = encode(dict(raw))
        method = raw.get("method")
        if isinstance(method, str):
            self._server_message(raw, method, payload)
            return True
        key = json.dumps(raw.get("id"))
        call = (self._session.calls or {}).get(key)
        if call is None:
            return True
        if call.is_settled or call.abort is not None:
            return False
        self._settle(call, raw, payload)
        return True

    def _server_message(self, raw: Mapping[str, Any], method: str, payload: str) -> None:
        size = len(payload)
        if hidden := self._secrets():
            payload = masked_text(hidden, payload)
        if "id" not in raw:
            if method == "notifications/progress":
                self._note_progress(_object(raw.get("params")))
            self._write(Direction.FROM_SERVER, EventKind.NOTIFICATION, method, payload, size_bytes=size)
            return
        key = json.dumps(raw["id"])
        form = mask_of_form(method, _object(raw.get("params")))
        self._waiting[key] = (method, self._session.record.last_seq + 1, form)
        self._write(Direction.FROM_SERVER, EventKind.REQUEST, method, payload, request_id=key, size_bytes=size)

    def _note_progress(self, params: Mapping[str, Any]) -> None:
        """Keep how far the call is that a report belongs to, for whoever looks at the calls in flight."""
        progress, total = params.get("progress"), params.get("total")
        for call in self._session.open_calls():
            if progress_token_from_params(call.params) == params.get("progressToken") is not None:
                call.progress = float(progress) if isinstance(progress, int | float) else None
                call.total = float(total) if isinstance(total, int | float) else None

    def _settle(self, call: Call, raw: Mapping[str, Any], payload: str) -> None:
        session = self._session
        call.mark_settled()
        session.calls = {key: other for key, other in (session.calls or {}).items() if other is not call}
        result = _object(raw.get("result"))
        error = raw.get("error")
        failed = result.get("isError") is True
        code = _object(error).get("code", -32603) if error is not None else 0 if failed else None
        size = len(payload)
        if call.marks is not None or call.hidden:
            payload = masked_answer(call, payload)
            self._told_lately.extend(call.hidden)
        self._engine.answered(session, call, error is not None or failed)
        self._write(
            Direction.FROM_SERVER,
            EventKind.ERROR if error is not None else EventKind.RESPONSE,
            call.method,
            payload,
            request_id=call.key,
            duration_us=call.duration_us,
            error_code=code,
            related_seq=call.seq,
            size_bytes=size,
        )
        if call.key == self._initialize_key and error is None:
            session.record.protocol_version = str(result.get("protocolVersion", ""))
            self._engine.save(session).add_done_callback(forget_outcome)

    def _write(self, direction: Direction, kind: EventKind, method: str | None, payload: str, **fields: Any) -> None:
        session = self._session
        if session.early_end is not None:
            return
        if direction is Direction.FROM_SERVER:
            session.record.bytes_out += fields.get("size_bytes", len(payload))
        try:
            session.write(direction, kind, method, payload, **fields)
        except StoreUnavailable:
            session.touch()  # the connection goes on; the health page says what the log lacks

    # -- what operators do ---------------------------------------------------------------------

    async def _cancel(self, call: Call, answer: EarlyAnswer) -> None:
        """Tell the server to stop, and answer the client: on these transports the SDK stays silent."""
        params = {"requestId": json.loads(call.key), "reason": answer.message}
        text = error_text(call.key, answer.code or REQUEST_CANCELLED, answer.message, answer.data)
        if not call.is_settled:
            message: dict[str, Any] = json.loads(text)
            await self._to_client(message)
            self._settle(call, message, text)
        await self._to_server({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})

    async def _next_events(self, tail: Tail) -> list[Event]:
        try:
            return await tail.read(timeout=self._engine.settings.ping_seconds)
        except StoreUnavailable:
            await asyncio.sleep(_RETRY_SECONDS)  # the store heals by itself; the next read goes on where this one was
            return []

    async def deliver(self, opened: OpenStream) -> None:
        """Put what operators append to the session's log on the connection, until it is closed."""
        record = self._session.record
        tail = self._engine.store.events.tail(record.no, record.last_seq, stream=STANDALONE_STREAM)
        try:
            while not opened.is_closed:
                for event in await self._next_events(tail):
                    if event.direction is not Direction.FROM_SERVER or event.payload is None:
                        continue
                    await self._to_client(json.loads(event.payload))
                    opened.wrote(1)
                    record.delivered_seq = event.seq
                    if self._engine.on_written is not None:
                        self._engine.on_written(self._session, event.seq)
        finally:
            tail.close()


def _object(value: object) -> Mapping[str, Any]:
    """Return a JSON object, or an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
