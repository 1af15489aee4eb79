"""A raw client of the older HTTP+SSE transport (2024-11-05)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import httpx

from tests.support.wire import EventStream, Json, initialize_message


class OlderWire:
    """One open `GET /sse` and the address that its messages are posted to."""

    def __init__(self, http: httpx.AsyncClient, stream: EventStream, endpoint: str, headers: dict[str, str]) -> None:
        self._http = http
        self.stream = stream
        self.endpoint = endpoint
        self._headers = headers

    async def post(self, message: Json) -> httpx.Response:
        """Post a message; its answer comes on the stream."""
        return await self._http.post(self.endpoint, json=message, headers=self._headers)

    async def initialize(self, name: str) -> httpx.Response:
        """Shake hands, and return the answer to the POST that began it."""
        posted = await self.post(initialize_message("2024-11-05", name=name))
        if posted.status_code == 202:
            await self.stream.message()
            await self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return posted

    async def call(self, id: object, tool: str, **arguments: object) -> httpx.Response:
        params = {"name": tool, "arguments": arguments}
        return await self.post({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})


@asynccontextmanager
async def older(base: str, http: httpx.AsyncClient, *, token: str | None = None) -> AsyncGenerator[OlderWire]:
    """Connect over HTTP+SSE; the connection is the session."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with http.stream("GET", f"{base}/sse", headers=headers) as response:
        assert response.status_code == 200, (await response.aread(), response.status_code)
        stream = EventStream(response)
        endpoint = await stream.next()
        assert endpoint is not None
        yield OlderWire(http, stream, urljoin(base, endpoint.data), headers)
