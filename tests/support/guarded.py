"""One request to an ASGI application, exactly as given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

SAME = "http://127.0.0.1:8000"
Answer = Callable[[Scope, Receive, Send], Awaitable[None]]


class Recorder:
    """An application that notes what reaches it."""

    def __init__(self, response: Response | None = None) -> None:
        self.seen: list[str] = []
        self._response = response or PlainTextResponse("fine")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(f"{scope['method']} {scope['path']}")
        await self._response(scope, receive, send)


async def ask(
    app: Answer,
    method: str = "GET",
    path: str = "/admin/sessions",
    *,
    headers: list[tuple[str, str]] | None = None,
    host: str | None = "127.0.0.1:8000",
    scheme: str = "http",
    body: bytes = b"",
) -> tuple[int, dict[str, str], bytes]:
    """Send one request exactly as given, which no HTTP client would."""
    pairs = [*([("host", host)] if host is not None else []), *(headers or [])]
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": scheme,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8000),
        "root_path": "",
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    answer = b"".join(message.get("body", b"") for message in sent[1:])
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, answer
