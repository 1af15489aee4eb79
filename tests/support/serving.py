"""A real uvicorn on a free loopback port, in this process and loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncGenerator[str]:
    """Serve `app`, whose lifespan is somebody else's business, and give its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([listener]))  # pyright: ignore[reportPrivateUsage]
    try:
        with anyio.fail_after(5):
            while not server.started:
                await anyio.lowlevel.checkpoint()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        with anyio.fail_after(5, shield=True):
            await task
        listener.close()
