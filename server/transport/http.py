"""Small HTTP answers of the leg, and reading a body within its bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from ..engine.deadlines import Deadlines
from ..errors import LimitReached
from .messages import INVALID_REQUEST, error_text

JSON_TYPE = (b"content-type", b"application/json")
SSE_WHOLE = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
)
"""Of an answer that is sent whole, with its length."""

SSE_HEADERS = (
    *SSE_WHOLE,
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
)

CLOSING = (b"connection", b"close")
"""What is left of a body that was given up would otherwise be read as long as the client cares to send it."""

Header = tuple[bytes, bytes]


_LINGER_SECONDS = 0.5
"""How long a client whose body is refused may take to read why."""


class BodyTooLarge(Exception):
    """The body is larger than allowed."""


class BodyAmbiguous(Exception):
    """Two servers in a row could read it as two different requests."""


class BodyIncomplete(Exception):
    """The client stopped sending, or left."""


class ReadRequest(Request):
    """A request whose body has been read already; handlers that ask for it get it all the same."""

    def __init__(self, scope: Scope, receive: Receive, body: bytes) -> None:
        super().__init__(scope, receive)
        self._read = body

    async def stream(self) -> AsyncGenerator[bytes, None]:
        yield self._read
        yield b""


def check_framing(scope: Scope, limit: int) -> None:
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


async def read_body(receive: Receive, limit: int, deadlines: Deadlines) -> bytes:
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


async def send_body(send: Send, status: int, headers: Iterable[Header], body: bytes) -> None:
    """Send a complete answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_nothing(send: Send) -> None:
    """Send 204, which has neither a body nor a length."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def send_error(
    send: Send,
    status: int,
    message: str,
    *,
    code: int = INVALID_REQUEST,
    key: str = "null",
    data: object = None,
    headers: Iterable[Header] = (),
) -> None:
    """Send a JSON-RPC error with an HTTP status; SDK clients show its message and nothing else."""
    body = error_text(key, code, message, data).encode("ascii")
    await send_body(send, status, [JSON_TYPE, *headers], body)


async def send_limit(send: Send, error: LimitReached) -> None:
    """Answer 429 and say when to come back; what else the client was sending is not read."""
    headers = [(b"retry-after", str(error.retry_after).encode()), CLOSING]
    await send_error(send, 429, error.message, headers=headers)


async def refuse_body(send: Send, receive: Receive, message: str) -> None:
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
