"""The guard round everything Switchroom serves: which hosts and origins it answers, and its headers.

It decides before any route runs and knows nothing of sign-ins. An embedding application's own routes
are never behind it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..server.settings import Settings
from .hosts import AllowedHosts, HostPort, allowed_origins, host_of, is_same_origin
from .problems import Problem, plain_response

logger = logging.getLogger("switchroom.guard")

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_STRICT_TRANSPORT: Final = "max-age=31536000"

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
"""Largest request body of the console and its API: a stored value of 256 KiB, every character escaped, fits."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_GUARDED_READS: Final = frozenset({"live", "export", "export.csv", "export.json"})

_MISDIRECTED: Final = Problem(
    421, "misdirected_host", "This host name is not served here. Add it to SWITCHROOM_ALLOWED_HOSTS."
)
_BAD_HOST: Final = Problem(400, "invalid_host", "A request needs exactly one valid Host header.")
_CROSS_SITE: Final = Problem(
    403, "cross_site", "This request did not come from the console's own pages, so nothing was changed."
)
_TOO_LARGE: Final = Problem(413, "too_large", f"The body is larger than {MAX_BODY_BYTES:,} bytes.")
_AMBIGUOUS: Final = Problem(400, "ambiguous_body", "A body has a length or comes in chunks, not both.")
_CRASHED: Final = Problem(500, "internal_error", "Something went wrong here. The server's log says what.")


def is_guarded_read(path: str) -> bool:
    """Whether a GET of this path follows the origin rule too: live streams and exports."""
    return path.rpartition("/")[2] in _GUARDED_READS


class Guard:
    """ASGI middleware round one application; the last thing between the server and every route."""

    def __init__(
        self, app: ASGIApp, settings: Settings, *, guards_read: Callable[[str], bool] = is_guarded_read
    ) -> None:
        """Args:
        guards_read: Which paths follow the origin rule for reading as well.
        """
        self._app = app
        self._hosts = AllowedHosts.of(settings)
        self._origins = allowed_origins(settings)
        self._guards_read = guards_read
        self._body_seconds = settings.body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "No websockets are served here."})
        else:
            await self._answer(scope, receive, _Sender(send, is_https=scope["scheme"] == "https"))

    async def _answer(self, scope: Scope, receive: Receive, sender: _Sender) -> None:
        connection = HTTPConnection(scope)
        problem = self._problem(connection)
        if problem is not None:
            await refusal(connection, problem)(scope, receive, sender)
            return
        try:
            await self._app(scope, _BoundedBody(receive, self._body_seconds), sender)
        except Exception:
            # An answer that was cut short must be seen to be cut short; a whole one has done its work.
            if sender.is_started and not sender.is_finished:
                raise
            logger.exception("The console failed on %s %r", scope["method"], scope["path"])
            if not sender.is_started:
                await refusal(connection, _CRASHED)(scope, receive, sender)

    def _problem(self, connection: HTTPConnection) -> Problem | None:
        host = host_of(connection)
        if host is None:
            return _BAD_HOST
        if host not in self._hosts:
            return _MISDIRECTED
        if self._follows_origin_rule(connection.scope) and not self._is_from_our_pages(connection, host):
            return _CROSS_SITE
        length = connection.headers.get("content-length", "0")
        if "transfer-encoding" in connection.headers and "content-length" in connection.headers:
            return _AMBIGUOUS
        return _TOO_LARGE if not length.isdecimal() or int(length[:12]) > MAX_BODY_BYTES else None

    def _follows_origin_rule(self, scope: Scope) -> bool:
        return scope["method"] not in _SAFE_METHODS or self._guards_read(scope["path"])

    def _is_from_our_pages(self, connection: HTTPConnection, host: HostPort) -> bool:
        headers = connection.headers
        if has_bearer(headers):
            # No page of another site can add this header without our consent, and the cookie is then not looked at.
            return True
        sites, origins = headers.getlist("sec-fetch-site"), headers.getlist("origin")
        if len(sites) > 1 or len(origins) > 1:
            return False
        is_known_origin = bool(origins) and self._is_known_origin(origins[0], connection.scope["scheme"], host)
        if not sites:
            return is_known_origin
        if sites[0] in ("same-origin", "none"):
            # Our own forms arrive with `Origin: null`, because our pages send no referrer (Fetch, section 3.2).
            return is_known_origin or not origins or origins[0] == "null"
        return bool(origins) and origins[0].lower() in self._origins

    def _is_known_origin(self, origin: str, scheme: str, host: HostPort) -> bool:
        return origin.lower() in self._origins or is_same_origin(origin, scheme, host)


def has_bearer(headers: Headers) -> bool:
    """Whether a request comes with one `Authorization: Bearer` header, and so never by cookie."""
    values = headers.getlist("authorization")
    return len(values) == 1 and values[0][:7].lower() == "bearer "


def with_security_headers(scope: Scope, send: Send) -> Send:
    """Return a `send` that puts the guard's headers on an answer, for what no host or origin rule protects."""
    return _Sender(send, is_https=scope["scheme"] == "https")


def refusal(connection: HTTPConnection, problem: Problem) -> Response:
    """Return a refusal made before any template is at hand: problem+json for programs, plain text for people."""
    wants_text = "text/html" in connection.headers.get("accept", "")
    return plain_response(problem) if wants_text else problem.response()


class _Sender:
    """Puts the headers on whatever is answered, and remembers how far the answer got."""

    def __init__(self, send: Send, *, is_https: bool) -> None:
        self._send = send
        self._is_https = is_https
        self.is_started = False
        self.is_finished = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_started = True
            self._add_headers(MutableHeaders(scope=message))
        elif message["type"] == "http.response.body":
            self.is_finished = not message.get("more_body", False)
        await self._send(message)

    def _add_headers(self, headers: MutableHeaders) -> None:
        for name, value in SECURITY_HEADERS.items():
            headers[name] = value
        if self._is_https:
            headers["Strict-Transport-Security"] = _STRICT_TRANSPORT
        if "immutable" not in headers.get("cache-control", ""):
            headers["Cache-Control"] = "no-store"
        if (
            headers.get("content-type", "").startswith("text/html")
            and "hx-request" not in headers.get("vary", "").lower()
        ):
            headers.add_vary_header("HX-Request")


class _BoundedBody:
    """Receives a request's body within `MAX_BODY_BYTES` and a time; afterwards only passes on."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._seconds = seconds
        self._size = 0
        self._is_complete = False
        self._deadline: float | None = None

    async def __call__(self) -> Message:
        if self._is_complete:
            return await self._receive()
        if self._deadline is None:
            self._deadline = anyio.current_time() + self._seconds
        message: Message | None = None
        with anyio.move_on_at(self._deadline):
            message = await self._receive()
        if message is None:
            raise HTTPException(
                408, f"The body did not arrive within {self._seconds:g} seconds.", headers={"Connection": "close"}
            )
        self._size += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._size > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE.detail, headers={"Connection": "close"})
        return message
