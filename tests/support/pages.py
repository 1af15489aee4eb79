"""The whole console in this process: every page and action round a real engine with its store in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from argon2 import PasswordHasher

from switchroom.dashboard.app import build_console
from switchroom.server.accounts import Accounts, Passwords
from switchroom.server.attach import McpServer, attach
from switchroom.server.filters import parse_filter
from switchroom.server.models import Session, SessionState
from switchroom.server.tools.bundled import bundled_server
from tests.support.console import BASE, Console, plain_settings
from tests.support.html import Element, parse

HTMX = {"HX-Request": "true"}


@asynccontextmanager
async def running_pages(mcp: McpServer | None = None, **settings: Any) -> AsyncGenerator[Console]:
    """Run a server (the bundled one unless told) and the console as shipped, with passwords that hash quickly."""
    room = attach(mcp or bundled_server(), settings=plain_settings(db="memory:", **settings))
    built = build_console(room)
    accounts = Accounts(None, passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
    built.app.state.accounts = accounts
    console = Console(room, accounts, built.app)
    await accounts.open()
    async with room.app.router.lifespan_context(room.app):
        yield console
        await console.close()
    await accounts.close()


async def opened(console: Console, name: str = "tester", *, calls: int = 0) -> Session:
    """Open a session as a real client would and return it as the console sees it."""
    caller = console.mcp_client()
    await caller.initialize(name)
    for number in range(calls):
        await caller.call("set_session_data", request_id=number + 1, key=f"key-{number}", value=str(number))
    return await console.room.directory.lookup(caller.secret)


async def newest(console: Console) -> list[Session]:
    """Return every session, the last heard first."""
    return (await console.room.directory.sessions(parse_filter(""))).items


def read(answer: httpx2.Response, status: int = 200) -> Element:
    """Return the page of an answer with the status that was expected."""
    assert answer.status_code == status, answer.text[:2_000]
    return parse(answer.text)


async def modern_call(console: Console, tool: str, *, client: str = "modern", **arguments: Any) -> dict[str, Any]:
    """Call a tool as a client of 2026-07-28 does, without any session, and return the result."""
    prefix = "io.modelcontextprotocol/"
    meta = {
        f"{prefix}protocolVersion": "2026-07-28",
        f"{prefix}clientCapabilities": {},
        f"{prefix}clientInfo": {"name": client, "version": "3.0"},
    }
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    transport = httpx2.ASGITransport(console.room.app)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        headers = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/call",
            "Mcp-Name": tool,
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        answer = await http.post("/mcp", json=message, headers=headers)
    assert answer.status_code == 200, answer.text
    text = answer.text
    if answer.headers["content-type"].startswith("text/event-stream"):
        text = next(line[6:] for line in text.splitlines() if line.startswith("data: {"))
    result: dict[str, Any] = json.loads(text)["result"]
    return result


async def state_of(console: Console, session_id: str) -> SessionState:
    """Return the state a session is in now."""
    return (await console.room.directory.session(session_id)).state


def form_values(form: Element) -> dict[str, str | list[str]]:
    """Return what a browser would send of a form, untouched."""
    values: dict[str, str | list[str]] = {}
    for each in form.select("input"):
        if each.attributes.get("type") not in ("radio", "checkbox") or "checked" in each.attributes:
            before = values.get(each.attributes["name"], [])
            values[each.attributes["name"]] = [*before, each.attributes.get("value", "")]
    return values
