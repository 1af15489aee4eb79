"""Header values as a parser may hand them over: h11 takes the blanks around them off, httptools leaves some."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from switchroom.server import Settings, attach
from switchroom.server.store.memory import MemoryStore
from tests.conformance.everything import everything_server

pytestmark = pytest.mark.anyio

META: dict[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
INITIALIZE: dict[str, Any] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "padded", "version": "1.0"},
}


def padded(headers: dict[str, str]) -> dict[str, str]:
    return {name: f"{value} \t" for name, value in headers.items()}


async def test_blanks_around_header_values_are_no_part_of_them() -> None:
    built = attach(everything_server(), settings=Settings(db="memory:"), store=MemoryStore())
    accept = padded({"accept": "application/json, text/event-stream", "content-type": "application/json"})
    transport = httpx.ASGITransport(built.app)
    async with (
        built.app.router.lifespan_context(built.app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=accept) as client,
    ):
        call: dict[str, Any] = {"name": "test_simple_text", "arguments": {}, "_meta": META}
        modern = await client.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
            headers=padded(
                {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "test_simple_text"}
            ),
        )
        assert modern.status_code == 200, modern.text
        assert "simple text response" in modern.text
        opened = await client.post(
            "/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
        )
        session = padded({"mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"})
        ping = await client.post("/mcp", json={"jsonrpc": "2.0", "id": 2, "method": "ping"}, headers=session)
        assert ping.status_code == 200, ping.text
        await built.engine.drain()
