"""A test of tools: served as they will be, and called by a client of each era.

Prints:
legacy: tea, milk
auto: tea, milk
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from cart import mcp  # type: ignore[import-not-found]
from mcp import Client
from mcp.server.mcpserver import MCPServer

from switchroom.server import Settings, attach
from switchroom.server.tools import sessions


@asynccontextmanager
async def served(server: MCPServer) -> AsyncGenerator[str]:
    """Serve tools on a free port; nothing is kept."""
    room = attach(server, settings=Settings(db="memory:"))
    running = uvicorn.Server(uvicorn.Config(room.app, port=0, log_level="error"))
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}/mcp"
    await room.engine.drain()  # ends what clients have left open
    running.should_exit = True
    await task


async def shop(url: str, mode: str) -> str:
    """Fill a cart; `legacy` is the handshake era, and `auto` MCP 2026-07-28, which asks for a handle."""
    async with Client(url, mode=mode) as client:

        async def call(tool: str, **arguments: Any) -> str:
            answer: Any = (await client.call_tool(tool, arguments)).content[0]
            return str(answer.text)

        mine = {"session_id": await call("open_session")} if mode == "auto" else {}
        await call("add_to_cart", item="tea", **mine)
        await call("add_to_cart", item="milk", **mine)
        return await call("show_cart", **mine)


async def main() -> None:
    sessions.add_to(mcp)
    async with served(mcp) as url:
        for mode in ("legacy", "auto"):
            print(f"{mode}: {await shop(url, mode)}")


if __name__ == "__main__":
    logging.disable(logging.INFO)
    asyncio.run(main())
