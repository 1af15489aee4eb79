"""Clients of the 2026-07-28 era, and what is recorded of them."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp import Client
from mcp_types import Implementation, TextContent

from switchroom.server.models import Actor, Broadcast, DeliveryStatus, Event, Role
from switchroom.server.store import EventQuery
from tests.support.servers import Site
from tests.support.wire import Json

MODERN = "2026-07-28"
LOG_LEVEL = "io.modelcontextprotocol/logLevel"
"""Member of a request's `_meta` that asks for log messages on its stream."""
OPERATOR = Actor("ann", Role.OPERATOR)


def message(method: str, params: Json, **meta: object) -> Json:
    """Return a request as a client called `raw` sends it."""
    envelope = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        **meta,
    }
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": {**params, "_meta": envelope}}


def headers(method: str, name: str | None = None, **extra: str | None) -> dict[str, str | None]:
    return {"mcp-protocol-version": MODERN, "mcp-method": method, "mcp-name": name, **extra}


def calling(tool: str, arguments: Json, **meta: object) -> tuple[Json, dict[str, str | None]]:
    """Return body and headers of a call."""
    return message("tools/call", {"name": tool, "arguments": arguments}, **meta), headers("tools/call", tool)


def connect(site: Site, name: str = "modern", **options: Any) -> Client:
    return Client(site.url, mode=MODERN, client_info=Implementation(name=name, version="1.0"), **options)


def text_of(result: Any) -> str:
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


async def only_client(site: Site) -> Any:
    (shown,) = await site.switchroom.directory.clients()
    return site.switchroom.engine.by_id[shown.id]


async def announce(site: Site, text: str, **options: Any) -> Broadcast:
    """Broadcast and wait until every recipient's outcome is known."""
    sent = await site.switchroom.operations.broadcast(OPERATOR, text=text, **options)
    async with asyncio.timeout(5):
        while (now := await site.switchroom.directory.broadcast(sent.id)).counts[DeliveryStatus.PENDING.value]:
            await asyncio.sleep(0.005)
    return now


async def rows(site: Site, session_id: str) -> list[Event]:
    return (await site.switchroom.directory.events(session_id, EventQuery(limit=1000))).events
