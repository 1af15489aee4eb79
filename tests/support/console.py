"""The sign-in pages and the JSON API round a real engine, and callers of them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from argon2 import PasswordHasher
from fastapi import FastAPI

from switchroom.dashboard.api import api_routers
from switchroom.dashboard.errors import install_error_handlers
from switchroom.dashboard.guard import Guard
from switchroom.dashboard.pages import sign_in
from switchroom.dashboard.templating import Templates
from switchroom.dashboard.urls import Urls
from switchroom.server.accounts import Accounts, Passwords
from switchroom.server.attach import Switchroom, attach
from switchroom.server.models import Role
from switchroom.server.settings import Settings
from switchroom.server.tools.bundled import bundled_server

BASE = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery"

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


class Console:
    """A running console in this process, without a socket."""

    def __init__(self, room: Switchroom, accounts: Accounts, app: FastAPI) -> None:
        self.room = room
        self.accounts = accounts
        self.app = app
        self.guarded = Guard(app, room.settings)
        self._clients: list[httpx2.AsyncClient] = []

    def browser(self, *, base: str = BASE, address: str = "127.0.0.1") -> httpx2.AsyncClient:
        """Return a client that keeps cookies and sends what a browser's own pages send."""
        transport = httpx2.ASGITransport(self.guarded, client=(address, 50_000))
        return self._kept(httpx2.AsyncClient(transport=transport, base_url=base, headers=SAME_ORIGIN))

    async def signed_in(self, role: Role = Role.OPERATOR, name: str = "ana") -> httpx2.AsyncClient:
        """Return the browser of a new operator who has signed in."""
        await self.accounts.operators.add(name, role, PASSWORD)
        browser = self.browser()
        answer = await browser.post("/admin/login", data={"operator": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return browser

    async def script(self, role: Role = Role.OPERATOR, name: str = "script") -> httpx2.AsyncClient:
        """Return a client with an API token and nothing that a browser would send."""
        secret, _ = await self.accounts.tokens.create(name, role)
        transport = httpx2.ASGITransport(self.guarded)
        headers = {"Authorization": f"Bearer {secret}"}
        return self._kept(httpx2.AsyncClient(transport=transport, base_url=BASE, headers=headers))

    def mcp_client(self) -> McpCaller:
        """Return a handshake-era client that has not sent anything yet."""
        transport = httpx2.ASGITransport(self.room.app)
        return McpCaller(self._kept(httpx2.AsyncClient(transport=transport, base_url=BASE)))

    async def close(self) -> None:
        """Close every client."""
        for client in self._clients:
            await client.aclose()

    def _kept(self, client: httpx2.AsyncClient) -> httpx2.AsyncClient:
        self._clients.append(client)
        return client


class McpCaller:
    """One MCP session over plain HTTP, for tests that are about the console and not about the protocol."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self.secret = ""

    async def initialize(self, name: str = "tester", version: str = "1.0") -> None:
        """Open a session; `secret` is its `Mcp-Session-Id`."""
        params = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": name, "version": version},
        }
        answer = await self._post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        assert answer.status_code == 200, answer.text
        self.secret = answer.headers["mcp-session-id"]
        await self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def call(self, tool: str, *, request_id: int | str = 1, **arguments: Any) -> httpx2.Response:
        """Call a tool and return the HTTP answer."""
        params = {"name": tool, "arguments": arguments}
        return await self._post({"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params})

    async def _post(self, message: dict[str, Any]) -> httpx2.Response:
        headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        if self.secret:
            headers |= {"Mcp-Session-Id": self.secret, "MCP-Protocol-Version": "2025-11-25"}
        return await self._http.post("/mcp", content=json.dumps(message), headers=headers)


def plain_settings(**values: Any) -> Settings:
    """Return settings that no `.env` file has a part in."""
    given: dict[str, Any] = {"_env_file": None, **values}
    return Settings(**given)


@asynccontextmanager
async def running_console(**settings: Any) -> AsyncGenerator[Console]:
    """Run the bundled server with a store in memory, and the sign-in pages and API beside it."""
    room = attach(bundled_server(), settings=plain_settings(db="memory:", **settings))
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    accounts = Accounts(None, passwords=cheap)
    console = Console(room, accounts, _app(room, accounts))
    await accounts.open()
    async with room.app.router.lifespan_context(room.app):
        yield console
        await console.close()
    await accounts.close()


def _app(room: Switchroom, accounts: Accounts) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    urls = Urls("/admin")
    app.state.switchroom = room
    app.state.accounts = accounts
    app.state.settings = room.settings
    app.state.urls = urls
    app.state.templates = Templates(urls)
    app.include_router(sign_in.router, prefix="/admin")
    for router in api_routers():
        app.include_router(router)
    install_error_handlers(app)
    return app
