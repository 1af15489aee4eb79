"""The SDK's own transport with our event store: `uvicorn event_store:app` serves it.

Prints:
resumed: ['two', 'three']
another session: []
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.streamable_http import EventMessage
from mcp_types import JSONRPCNotification
from starlette.applications import Starlette

from switchroom.server import EventStores

mcp = MCPServer("resumable-server")
stores = EventStores("sqlite:///events.db", max_events_per_stream=1000)
app = mcp.streamable_http_app()
stores.serve(mcp.session_manager)
theirs = app.router.lifespan_context


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[Any]:
    async with stores, theirs(app) as state:
        yield state


app.router.lifespan_context = lifespan


def message(text: str) -> JSONRPCNotification:
    """Return a log message."""
    return JSONRPCNotification(jsonrpc="2.0", method="notifications/message", params={"level": "info", "data": text})


async def main() -> None:
    """Resume one session's stream, and try the same event id in another session."""
    heard: list[str] = []

    async def send(event: EventMessage) -> None:
        heard.append(event.message.model_dump()["params"]["data"])

    async with EventStores("memory:") as each:
        mine, other = each.new(), each.new()
        held = await mine.store_event("stream", message("one"))
        for text in ("two", "three"):
            await mine.store_event("stream", message(text))
        await mine.replay_events_after(held, send)
        print("resumed:", heard)
        heard.clear()
        await other.replay_events_after(held, send)
        print("another session:", heard)


if __name__ == "__main__":
    asyncio.run(main())
