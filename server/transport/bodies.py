"""Reading the body of a request within its bounds, and answering for one that cannot be taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Protocol

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from ..current import CurrentCall
from ..engine.calls import EarlyAnswer
from ..engine.deadlines import Deadlines
from ..engine.engine import Engine
from ..engine.limits import Limit
from .http import CLOSING, JSON_TYPE, send_error
from .messages import INVALID_REQUEST, error_text
from .principals import address_of

_LINGER_SECONDS = 0.5
"""How long a client whose body is refused may take to read why."""


class BodyTooLarge(Exception):
    """The body is larger than allowed."""


class BodyAmbiguous(Exception):
    """Two servers in a row could read it as two different requests."""


class BodyIncomplete(Exception):
    """The client stopped sending, or left."""


class Bodies:
    """Reads the bodies of one leg."""

    def __init__(self, engine: Engine, limit: int) -> None:
        """Args:
        limit: The most bytes that one may have.
        """
        self._engine = engine
        self._limit = limit
        self._deadlines = Deadlines(engine.settings.body_seconds)

    async def read(self, scope: Scope, receive: Receive, send: Send) -> bytes | None:
        """Return the body of a request; `None` when it cannot be taken, and the client has been told why."""
        try:
            _check_framing(scope, self._limit)
            return await _read_whole(receive, self._limit, self._deadlines)
        except BodyTooLarge:
            self._engine.limit_hits.hit(Limit.BODY, address_of(scope))
            await _refuse_large(send, receive, f"The body is larger than {self._limit:,} bytes.")
        except BodyAmbiguous:
            await send_error(send, 400, "A body has a length or comes in chunks, not both.", headers=[CLOSING])
        except BodyIncomplete:
            await send_error(send, 408, "The body did not arrive whole.", headers=[CLOSING])
        return None


def _check_framing(scope: Scope, limit: int) -> None:
    """Refuse a body before it is read, by what its headers say of it.

    Raises:
        BodyTooLarge: It is announced with more than `limit` bytes.
        BodyAmbiguous: It has a length and comes in chunks: request smuggling (RFC 9112, section 6.3).
    """
    length = b""
    is_chunked = False
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = value
        elif name == b"transfer-encoding":
            is_chunked = True
    if length and is_chunked:
        raise BodyAmbiguous
    if length.isdigit() and (len(length) > 15 or int(length) > limit):
        raise BodyTooLarge


async def _read_whole(receive: Receive, limit: int, deadlines: Deadlines) -> bytes:
    """Return the request body.

    Args:
        deadlines: How long it may take; most bodies are there already, and a timer of their own would cost more.

    Raises:
        BodyTooLarge: More than `limit` bytes came.
        BodyIncomplete: It did not arrive whole in time.
    """
    task = asyncio.current_task()
    assert task is not None
    deadline = deadlines.add(task.cancel)
    try:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body: bytes = message.get("body", b"")
            if len(body) > limit:
                raise BodyTooLarge
            return body
        return await _read_chunks(receive, message, limit)
    except asyncio.CancelledError:
        if deadline.has_passed and task.uncancel() == 0:
            raise BodyIncomplete from None
        raise
    finally:
        deadline.cancel()


async def _read_chunks(receive: Receive, message: Message, limit: int) -> bytes:
    received = bytearray()
    while message["type"] == "http.request":
        received += message.get("body", b"")
        if len(received) > limit:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(received)
        message = await receive()
    raise BodyIncomplete


async def _refuse_large(send: Send, receive: Receive, message: str) -> None:
    """Answer 413, and end the connection a moment later.

    Closed at once, with bytes still coming, it would be reset, and the client would lose the answer (RFC 9112,
    section 9.6). What comes meanwhile is thrown away.
    """
    body = error_text("null", INVALID_REQUEST, message).encode("ascii")
    headers = [JSON_TYPE, CLOSING, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                pass
    await send({"type": "http.response.body", "body": b""})


class Reply(Protocol):
    """Where the answer to a request goes, as long as that request is all that the answer belongs to."""

    def belongs_to(self, running: CurrentCall) -> None:
        """The request is recorded as this call: what is said on the way to the answer goes into its log."""
        ...

    def answer_early(self, answer: EarlyAnswer) -> None:
        """Answer in place of a handler that ignores its cancellation; what it returns later goes nowhere."""
        ...


class ReadRequest(Request):
    """A request whose body has been read already; handlers that ask for it get it all the same."""

    def __init__(self, scope: Scope, receive: Receive, body: bytes) -> None:
        super().__init__(scope, receive)
        self._read = body
        self.reply: Reply | None = None

    async def stream(self) -> AsyncGenerator[bytes, None]:
        yield self._read
        yield b""


def replaying(body: bytes, rest: Receive | None) -> Receive:
    """Return a `receive` that gives a body which was read already, then goes on with the connection's.

    Without a connection (`rest` is `None`) it then waits for ever: a request of our own never hangs up.
    """
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        if rest is not None:
            return await rest()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    return receive
