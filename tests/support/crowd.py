"""Many sessions at once, over plain HTTP: lists need rows, not whole clients."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

_HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


class Crowd:
    """Sessions that were opened one after the other."""

    def __init__(self, http: httpx2.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url
        self.secrets: list[str] = []

    async def join(self, name: str, count: int = 1) -> None:
        """Open sessions of a client."""
        for _ in range(count):
            info = {"name": name, "version": "1.0"}
            params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}
            answer = await self._post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}, "")
            secret = answer.headers["mcp-session-id"]
            await self._post({"jsonrpc": "2.0", "method": "notifications/initialized"}, secret)
            self.secrets.append(secret)

    async def call(self, index: int, tool: str = "echo", **arguments: Any) -> int:
        """Call a tool in one of the sessions and return the HTTP status."""
        params = {"name": tool, "arguments": arguments or {"text": "hello"}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return (await self._post(message, self.secrets[index])).status_code

    async def leave(self) -> None:
        """Close every session that is still open."""
        for secret in self.secrets:
            await self._http.delete(self._url, headers=_HEADERS | {"Mcp-Session-Id": secret})

    async def _post(self, message: dict[str, Any], secret: str) -> httpx2.Response:
        more = {"Mcp-Session-Id": secret, "MCP-Protocol-Version": "2025-11-25"} if secret else {}
        return await self._http.post(self._url, content=json.dumps(message), headers=_HEADERS | more)


@asynccontextmanager
async def crowd(url: str) -> AsyncGenerator[Crowd]:
    """Open sessions on a server for the time of a block."""
    async with httpx2.AsyncClient(timeout=10) as http:
        gathered = Crowd(http, url)
        yield gathered
        await gathered.leave()
