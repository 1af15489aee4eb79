"""Small HTTP answers of the legs."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Send

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
