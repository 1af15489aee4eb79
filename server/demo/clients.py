"""What each demo client does: connect, work at its own pace, sometimes fail, come back when cut off."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import anyio
import anyio.lowlevel
import httpx2
import mcp_types
from mcp import Client
from mcp.shared.exceptions import MCPError

from ..data.failing import FAILURE_KEY
from ..modern.announcements import URI

_RETRY_SECONDS = 2.0


class Persona(NamedTuple):
    """One kind of client."""

    name: str
    version: str
    mode: str
    """`legacy` (handshake era) or `auto` (2026-07-28 where the server speaks it)."""
    pause: tuple[float, float]
    """Seconds between two calls, at least and at most."""
    calls: tuple[str, ...]
    """What it calls; repeated names are called more often."""


DEMO_CLIENTS = (
    Persona("desk-assistant", "3.4.1", "legacy", (0.4, 2.5), ("set", "get", "echo", "list", "count")),
    Persona("ticket-bot", "1.12.0", "legacy", (0.2, 1.2), ("echo", "set", "get", "echo", "fail")),
    Persona("notes-agent", "0.9.2", "auto", (0.6, 3.0), ("set", "get", "list", "echo")),
    Persona("build-runner", "7.0.3", "legacy", (1.5, 6.0), ("wait", "count", "echo")),
    Persona("research-crew", "2.1.0-rc.2", "auto", (0.5, 2.0), ("echo", "count", "set", "fail")),
    Persona("night-watch", "1.0.0", "legacy", (15.0, 40.0), ("echo", "get")),
)


class DemoClient:
    """One client; runs until it is cancelled."""

    def __init__(self, url: str, persona: Persona, number: int) -> None:
        self._url = url
        self._persona = persona
        self._random = random.Random(number * 7919 + 17)
        self._handle: dict[str, str] = {}
        self._calls: dict[str, Callable[[Client], Awaitable[Any]]] = {
            "echo": self._echo,
            "set": self._set,
            "get": lambda client: client.call_tool("get_session_data", {"key": self._key(), **self._handle}),
            "list": lambda client: client.call_tool("list_session_keys", {**self._handle}),
            "count": self._count,
            "wait": lambda client: client.call_tool("wait", {"seconds": self._random.uniform(0.5, 6)}),
            "fail": lambda client: client.call_tool("fail", {"message": "The upstream service did not answer"}),
        }

    async def run(self) -> None:
        """Work for ever; begin anew after every end of a session."""
        while True:
            try:
                await self._work()
            except* (MCPError, httpx2.HTTPError, OSError, RuntimeError, ValueError):
                await anyio.sleep(_RETRY_SECONDS * self._random.uniform(0.5, 1.5))

    async def _work(self) -> None:
        info = mcp_types.Implementation(name=self._persona.name, version=self._persona.version)
        async with Client(self._url, mode=self._persona.mode, client_info=info) as client:
            if self._persona.mode == "legacy":
                self._handle = {}
                await self._call_for_a_while(client)
                return
            opened = await client.call_tool("open_session")
            self._handle = {"session_id": _text(opened)}
            async with anyio.create_task_group() as group:
                group.start_soon(self._listen, client)
                await self._call_for_a_while(client)
                group.cancel_scope.cancel()

    async def _call_for_a_while(self, client: Client) -> None:
        for _ in range(self._random.randint(60, 240)):
            result = await self._calls[self._random.choice(self._persona.calls)](client)
            if _has_no_session(result):
                raise ValueError("the handle has ended")
            await anyio.sleep(self._random.uniform(*self._persona.pause))

    async def _listen(self, client: Client) -> None:
        async with client.listen(resource_subscriptions=[URI]) as subscription:
            async for _ in subscription:
                await client.read_resource(URI)

    def _key(self) -> str:
        return self._random.choice(("cart.items", "locale", "draft", "last_query", "budget"))

    async def _echo(self, client: Client) -> Any:
        text = self._random.choice(("status?", "hello", "what is new", "ping from the demo"))
        return await client.call_tool("echo", {"text": text})

    async def _set(self, client: Client) -> Any:
        value = self._random.choice(("3 items", "en-GB", "42.50", "draft saved", "open tickets"))
        return await client.call_tool("set_session_data", {"key": self._key(), "value": value, **self._handle})

    async def _count(self, client: Client) -> Any:
        async def ignore(progress: float, total: float | None, message: str | None) -> None:
            await anyio.lowlevel.checkpoint()

        arguments = {"steps": self._random.randint(3, 12), "seconds": self._random.uniform(0.05, 0.6)}
        return await client.call_tool("count_slowly", arguments, progress_callback=ignore)


def _has_no_session(result: Any) -> bool:
    """Whether a tool says that the handle it was given names no session, or none any more."""
    meta: dict[str, Any] = getattr(result, "meta", None) or {}
    failure: dict[str, Any] = meta.get(FAILURE_KEY, {})
    return str(failure.get("code")).startswith("session_")


def _text(result: Any) -> str:
    content = getattr(result, "content", None)
    return content[0].text if content and isinstance(content[0], mcp_types.TextContent) else ""
