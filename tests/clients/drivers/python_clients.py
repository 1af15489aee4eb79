"""Drives a Python client for a test, one JSON object per line: commands come in, answers and events go out.

Arguments: which client (`mcp1`, `mcp2` or `fastmcp`), the server's address, the era, and the client's name.
Runs in environments of its own, whose packages are not those of the tests: they are imported by name.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def tell(event: str, value: object) -> None:
    say({"event": event, "value": value})


async def on_log(params: Any) -> None:
    tell("log", params.data)


async def on_progress(progress: float, total: float | None, message: str | None) -> None:
    tell("progress", progress)


class Driven(Protocol):
    """What a test asks of a client."""

    async def list(self) -> list[str]: ...

    async def call(self, tool: str, arguments: dict[str, Any]) -> str: ...

    async def listen(self, uri: str) -> str: ...


class Session1:
    """The SDK's 1.x client."""

    def __init__(self, session: Any) -> None:
        self._session = session

    async def list(self) -> list[str]:
        return [tool.name for tool in (await self._session.list_tools()).tools]

    async def call(self, tool: str, arguments: dict[str, Any]) -> str:
        result = await self._session.call_tool(tool, arguments, progress_callback=on_progress)
        return str(result.content[0].text)

    async def listen(self, uri: str) -> str:
        raise LookupError("there is no such thing in its era")


class Client2:
    """The SDK's 2.x client, and fastmcp's, which has the same methods."""

    def __init__(self, client: Any, stack: AsyncExitStack) -> None:
        self._client = client
        self._stack = stack
        self._listening: asyncio.Task[None] | None = None

    async def list(self) -> list[str]:
        listed = await self._client.list_tools()
        return [tool.name for tool in getattr(listed, "tools", listed)]

    async def call(self, tool: str, arguments: dict[str, Any]) -> str:
        if hasattr(self._client, "call_tool_mcp"):
            result = await self._client.call_tool_mcp(tool, arguments, progress_handler=on_progress)
        else:
            result = await self._client.call_tool(tool, arguments, progress_callback=on_progress)
        return str(result.content[0].text)

    async def listen(self, uri: str) -> str:
        subscription = await self._stack.enter_async_context(self._client.listen(resource_subscriptions=[uri]))

        async def follow() -> None:
            async for event in subscription:
                tell("updated", event.uri)

        self._listening = asyncio.create_task(follow())
        return uri


@asynccontextmanager
async def mcp1(url: str, era: str, name: str) -> AsyncGenerator[Driven]:
    mcp, http = importlib.import_module("mcp"), importlib.import_module("mcp.client.streamable_http")
    info = mcp.types.Implementation(name=name, version="1.0")
    async with (
        http.streamable_http_client(url) as (reads, writes, _),
        mcp.ClientSession(reads, writes, client_info=info, logging_callback=on_log) as session,
    ):
        answer = await session.initialize()
        tell("ready", {"server": answer.serverInfo.name, "protocol": answer.protocolVersion})
        yield Session1(session)


@asynccontextmanager
async def mcp2(url: str, era: str, name: str) -> AsyncGenerator[Driven]:
    mcp, types = importlib.import_module("mcp"), importlib.import_module("mcp_types")
    info = types.Implementation(name=name, version="1.0")
    mode = "auto" if era == "modern" else "legacy"
    async with (
        mcp.Client(url, mode=mode, client_info=info, logging_callback=on_log) as client,
        AsyncExitStack() as stack,
    ):
        tell("ready", {"server": client.server_info.name, "protocol": client.protocol_version})
        yield Client2(client, stack)


@asynccontextmanager
async def fastmcp(url: str, era: str, name: str) -> AsyncGenerator[Driven]:
    module, types = importlib.import_module("fastmcp"), importlib.import_module("mcp_types")
    info = types.Implementation(name=name, version="1.0")
    mode = "auto" if era == "modern" else "legacy"
    async with (
        module.Client(url, mode=mode, client_info=info, log_handler=on_log) as client,
        AsyncExitStack() as stack,
    ):
        tell("ready", {"server": client.server_info.name, "protocol": client.protocol_version})
        yield Client2(client, stack)


CLIENTS = {"mcp1": mcp1, "mcp2": mcp2, "fastmcp": fastmcp}


async def obey(client: Driven, order: dict[str, Any]) -> None:
    """Carry out one command and answer it."""
    number, command = order.pop("number"), order.pop("command")
    try:
        value = await getattr(client, command)(**order)
    except Exception as error:
        say({"number": number, "error": str(error) or type(error).__name__})
    else:
        say({"number": number, "value": value})


async def main() -> None:
    which, url, era, name = sys.argv[1:]
    running: set[asyncio.Task[None]] = set()
    last: int | None = None
    async with CLIENTS[which](url, era, name) as client:
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            if order["command"] == "end":
                last = order["number"]
                break
            task = asyncio.create_task(obey(client, order))
            running.add(task)
            task.add_done_callback(running.discard)
    if last is not None:
        say({"number": last, "value": None})


if __name__ == "__main__":
    asyncio.run(main())
