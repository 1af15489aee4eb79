"""Clients with an address of their own, and raw requests of the 2026-07-28 era."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.security.honest import ACCEPT, JSON_BODY, META, MODERN
from tests.support.wire import SECONDS, Wire, initialize_message

_ids = itertools.count(1)


def http_from(address: str) -> httpx.AsyncClient:
    """Return a client that connects from an address of this machine, such as 127.0.0.2."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    transport = httpx.AsyncHTTPTransport(local_address=address, limits=limits)
    return httpx.AsyncClient(transport=transport, timeout=SECONDS)


@asynccontextmanager
async def wire_from(url: str, address: str, *, token: str | None = None) -> AsyncGenerator[Wire]:
    """Give a raw client with its own address; it has no session yet."""
    async with http_from(address) as http:
        yield Wire(url, http, token=token)


async def opened_from(url: str, address: str, *, token: str | None = None) -> int:
    """Send one `initialize` from an address and return its status."""
    async with wire_from(url, address, token=token) as wire:
        return (await wire.post(initialize_message())).status


def modern_headers(method: str, *, name: str = "", token: str | None = None) -> dict[str, str]:
    """Return the headers of a request of the newer era."""
    headers = dict([ACCEPT, JSON_BODY]) | {"mcp-protocol-version": MODERN, "mcp-method": method}
    headers |= {"mcp-name": name} if name else {}
    return headers | ({"authorization": f"Bearer {token}"} if token else {})


def modern_body(method: str, **params: Any) -> bytes:
    """Return the body of a request of the newer era."""
    message = {"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": {**params, "_meta": META}}
    return json.dumps(message).encode()


async def modern_call(
    http: httpx.AsyncClient, url: str, tool: str, *, token: str | None = None, **arguments: Any
) -> httpx.Response:
    """Call a tool in the newer era."""
    body = modern_body("tools/call", name=tool, arguments=arguments)
    return await http.post(url, content=body, headers=modern_headers("tools/call", name=tool, token=token))
