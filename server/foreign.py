"""`fastmcp.FastMCP` 4: the same seams, but its session manager lives as long as one lifespan.

So the leg is put in place inside that lifespan, when the manager runs already and its state can only
be seen by a request that passes through it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types.version import LATEST_MODERN_VERSION
from starlette.applications import Starlette
from starlette.types import Message, Scope

from .data import SessionStateStore
from .errors import StartupError
from .mounts import Mount
from .token_guards import mcp_endpoint
from .transport.bodies import replaying

logger = logging.getLogger(__name__)

_STATE_STORE = "_state_storage"
"""Where fastmcp 4 keeps the store its `session_state_store` argument names, read when state is first used. There is no
public name for it after construction, and without it `ctx.set_state` would forget everything on a restart."""


def is_fastmcp(mcp: object) -> bool:
    """Whether an object is a `fastmcp.FastMCP`, without importing that package."""
    return type(mcp).__module__.split(".")[0] == "fastmcp" and callable(getattr(mcp, "http_app", None))


def fastmcp_app(
    mcp: Any,
    *,
    path: str,
    mount: Callable[[StreamableHTTPSessionManager], Mount],
    running: Callable[[], AbstractAsyncContextManager[None]],
    options: dict[str, Any],
) -> Starlette:
    """Return the ASGI app of a `FastMCP`, whose every lifespan puts our leg in place.

    Raises:
        StartupError: In the lifespan, when this release of fastmcp has no session manager where 4.x has it.
    """
    keep_state(mcp)
    app: Starlette = mcp.http_app(path=path, **options)
    theirs = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(started: Any) -> AsyncGenerator[Any]:
        async with running(), theirs(started) as state:
            manager = _manager_of(app)
            mounted = mount(manager)
            mounted.residents.lifespan_state = await _lifespan_state(manager)
            mounted.marks.follow(partial(mcp.list_tools, run_middleware=False), is_complete=False)
            mounted.replace_leg(manager)
            yield state

    app.router.lifespan_context = lifespan
    return app


def keep_state(mcp: Any) -> None:
    """Have a `FastMCP` keep its session state in our store, unless its author chose another one."""
    if not hasattr(mcp, _STATE_STORE):
        logger.warning(
            "This release of fastmcp keeps its session state elsewhere: what ctx.set_state stores will not survive a "
            "restart. Pass FastMCP(session_state_store=SessionStateStore()) from switchroom.server."
        )
    elif getattr(mcp, _STATE_STORE) is None:
        setattr(mcp, _STATE_STORE, SessionStateStore())


def _manager_of(app: Starlette) -> StreamableHTTPSessionManager:
    for route in app.routes:
        manager = getattr(mcp_endpoint(route), "session_manager", None)
        if isinstance(manager, StreamableHTTPSessionManager):
            return manager
    raise StartupError("This release of fastmcp keeps its session manager elsewhere: install fastmcp 4.")


async def _lifespan_state(manager: StreamableHTTPSessionManager) -> Any:
    """Return what the server's lifespan yielded, seen by a `server/discover` of our own."""
    seen: list[Any] = []

    async def look(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        seen.append(ctx.lifespan_context)
        return {}

    manager.app.middleware.insert(0, look)
    try:
        await manager.asgi_app(_discover_scope(), replaying(_discover_body(), None), _discard)
    finally:
        manager.app.middleware.remove(look)
    if not seen:
        raise StartupError("This release of fastmcp does not answer server/discover: install fastmcp 4.")
    return seen[0]


def _discover_scope() -> Scope:
    headers = {
        "host": "127.0.0.1",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": LATEST_MODERN_VERSION,
        "mcp-method": "server/discover",
    }
    return {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


def _discover_body() -> bytes:
    meta: dict[str, Any] = {
        "io.modelcontextprotocol/protocolVersion": LATEST_MODERN_VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": 0, "method": "server/discover", "params": {"_meta": meta}}
    return json.dumps(message).encode("ascii")


async def _discard(message: Message) -> None:
    """The answer is for nobody."""
