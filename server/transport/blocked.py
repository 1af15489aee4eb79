"""What somebody who is blocked gets, and what name a request gives its client."""

from __future__ import annotations

import json
from typing import Any, cast

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..engine.engine import Engine
from ..errors import Blocked, LimitReached
from .http import CLOSING, Header, send_error, send_limit
from .principals import principal_of

BLOCKED = -32003
"""JSON-RPC error code of a request that a block turned away."""

_CLIENT_INFO = "io.modelcontextprotocol/clientInfo"


class PrincipalGate:
    """ASGI middleware inside a server's authentication: refuses principals that are blocked or send too much."""

    def __init__(self, app: ASGIApp, engine: Engine) -> None:
        self._app = app
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        principal = principal_of(scope)
        try:
            if principal is not None:
                self._engine.admission.admit_request(f"principal {principal.key}")
                self._engine.blocks.check_principal(principal.name)
        except LimitReached as error:
            await send_limit(send, error)
            return
        except Blocked as error:
            await send_blocked(send, error)
            return
        await self._app(scope, receive, send)


def gate_principals(app: Starlette, engine: Engine) -> None:
    """Put the gate before every route of a server's app; our own leg asks by itself."""
    for route in app.routes:
        if isinstance(route, Route | Mount):
            route.app = PrincipalGate(route.app, engine)


async def send_blocked(send: Send, error: Blocked, key: str = "null") -> None:
    """Answer 403 with the reason, and with `Retry-After` where the block has an end."""
    headers: list[Header] = [CLOSING]
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    data = {"reason": error.detail.get("reason"), "retryAfter": error.retry_after}
    await send_error(send, 403, error.message, code=BLOCKED, key=key, data=data, headers=headers)


def client_name_in(body: bytes) -> str:
    """Return the name that a request of either era gives its client; empty where it gives none.

    The newer era names it in the `_meta` of every request, the handshake era in `initialize` alone.
    """
    try:
        message: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    params = _members(_members(message).get("params"))
    info = _members(_members(params.get("_meta")).get(_CLIENT_INFO)) or _members(params.get("clientInfo"))
    name = info.get("name")
    return name if isinstance(name, str) else ""


def _members(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
