"""Runs ASGI apps under a real uvicorn in the test's own loop, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any, Literal, NamedTuple

import uvicorn
from starlette.types import ASGIApp

from switchroom.server import Settings, attach
from switchroom.server.attach import McpServer, Switchroom
from switchroom.server.models import Event
from switchroom.server.store import EventQuery, Store

STOP_SECONDS = 10.0
"""A server that takes longer to start or stop fails its test."""


class TestServer(uvicorn.Server):
    """A uvicorn that leaves the process's signals alone and stops without waiting for its next tick."""

    __test__ = False

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def main_loop(self) -> None:
        await self.stopping.wait()


def listening_socket() -> socket.socket:
    """Return a socket bound to a free loopback port."""
    # With the protocol named, or asyncio leaves TCP_NODELAY off and every answer takes 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    return bound


@asynccontextmanager
async def serving(
    app: ASGIApp,
    *,
    lifespan: Literal["on", "off"] = "on",
    before_stop: Callable[[], Awaitable[object]] | None = None,
    bound: socket.socket | None = None,
) -> AsyncGenerator[str]:
    """Serve `app` and yield its base URL; `before_stop` runs before the server waits for its connections.

    `bound` is a socket of `listening_socket`, where the app has to know its address beforehand.
    """
    config = uvicorn.Config(app, log_config=None, lifespan=lifespan, ws="none", timeout_graceful_shutdown=5)
    server = TestServer(config)
    bound = bound or listening_socket()
    port = bound.getsockname()[1]
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await eventually(lambda: server.started or task.done(), within=STOP_SECONDS)
        if task.done():
            task.result()
            raise AssertionError("the app's lifespan failed to start")
        yield f"http://127.0.0.1:{port}"
    finally:
        if before_stop is not None and not task.done():
            await asyncio.wait_for(before_stop(), STOP_SECONDS)
        server.stopping.set()
        server.should_exit = True
        await asyncio.wait_for(task, STOP_SECONDS)


class Site(NamedTuple):
    """A server under test."""

    url: str
    """Where MCP is served."""
    switchroom: Switchroom

    def live(self) -> Any:
        """The one live session there is; `Any`, since tests look at what only the leg may know."""
        (live,) = self.switchroom.engine.by_id.values()
        return live

    async def events(self) -> list[Event]:
        """The newest events of the one live session, oldest first."""
        query = EventQuery(limit=1_000, newest_first=True)
        return (await self.switchroom.directory.events(self.live().record.id, query)).events[::-1]


@asynccontextmanager
async def running(
    mcp: McpServer,
    *,
    store: Store | None = None,
    options: dict[str, Any] | None = None,
    bound: socket.socket | None = None,
    **settings: Any,
) -> AsyncGenerator[Site, None]:
    """Attach Switchroom to `mcp`, without a console, and serve it; `settings` override quick test values."""
    chosen: dict[str, Any] = {"db": "memory:", "stream_after_seconds": 0.02, "retry_ms": 100, "cancel_grace_seconds": 1}
    built = attach(mcp, settings=Settings(**{**chosen, **settings}), store=store, **(options or {}))
    async with serving(built.app, before_stop=built.engine.drain, bound=bound) as base:
        yield Site(f"{base}/mcp", built)
    await eventually(lambda: not own_tasks(), within=2.0)


def own_tasks() -> list[asyncio.Task[Any]]:
    """Return the tasks of this loop that run Switchroom's code: none may outlive its server."""
    return [task for task in asyncio.all_tasks() if "/server/" in getattr(task.get_coro(), "cr_code", task).__repr__()]


async def eventually(condition: Callable[[], object], *, within: float = 5.0) -> None:
    """Wait until `condition` holds.

    Raises:
        AssertionError: It does not hold in time.
    """
    deadline = asyncio.get_running_loop().time() + within
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"did not become true within {within:g} s: {condition}")
        await asyncio.sleep(0.005)
