"""`SessionData` and the tools on it, through real clients of both eras."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any, NamedTuple

import pytest
from mcp import Client
from mcp.server.mcpserver import MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel

from switchroom.server.data import SessionData, session_data
from switchroom.server.errors import Conflict
from switchroom.server.tools import bundled_server
from tests.support.clients import connected, text_of
from tests.support.servers import Site, running

pytestmark = pytest.mark.anyio

Data = Annotated[SessionData, Resolve(session_data)]
ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])


class Cart(BaseModel):
    """A typed value."""

    items: list[str] = []


def shop() -> MCPServer[Any]:
    """Return the bundled server with tools of somebody's own on top."""
    mcp: MCPServer[Any] = bundled_server()

    @mcp.tool()
    async def add_to_cart(item: str, data: Data, session_id: str | None = None) -> str:
        """Keep a typed value."""
        cart = await data.get("cart", Cart(), as_type=Cart)
        await data.set("cart", Cart(items=[*cart.items, item]))
        return ",".join((await data.get("cart", Cart(), as_type=Cart)).items)

    @mcp.tool()
    async def take_number(data: Data, session_id: str | None = None) -> int:
        """Count by compare-and-set, so that no number is taken twice."""
        while True:
            entry = await data.entry("number")
            taken = await data.get("number", 0, as_type=int) + 1
            await asyncio.sleep(0)
            try:
                await data.set("number", taken, if_version=entry.version if entry is not None else 0)
            except Conflict:
                continue
            return taken

    @mcp.tool()
    async def store_for(key: str, value: str, ttl_seconds: float, data: Data, session_id: str | None = None) -> str:
        """Store a value that vanishes."""
        return str((await data.set(key, value, ttl_seconds=ttl_seconds)).version)

    @mcp.tool()
    async def clear_all(data: Data, session_id: str | None = None) -> int:
        """Remove every key."""
        return await data.clear()

    return mcp


class Caller(NamedTuple):
    """A client of either era that has a session."""

    client: Client
    site: Site
    handle: dict[str, str]

    async def call(self, tool: str, **arguments: object) -> str:
        answer = await self.client.call_tool(tool, {**arguments, **self.handle})
        assert not answer.is_error, text_of(answer)
        return text_of(answer)

    async def refused(self, tool: str, **arguments: object) -> str:
        answer = await self.client.call_tool(tool, {**arguments, **self.handle})
        assert answer.is_error
        return text_of(answer)


@asynccontextmanager
async def caller(mode: str, **settings: Any) -> AsyncGenerator[Caller]:
    async with running(shop(), **settings) as site, connected(site.url, mode=mode) as (client, _):
        handle = {} if mode == "legacy" else {"session_id": text_of(await client.call_tool("open_session", {}))}
        yield Caller(client, site, handle)


@ERAS
async def test_the_guides_tools_store_list_tell_and_delete(mode: str) -> None:
    async with caller(mode) as me:
        assert await me.call("get_session_data", key="colour") == "No data found for key 'colour' in current session"
        assert "No data" in await me.call("list_session_keys")
        assert await me.call("set_session_data", key="colour", value="blue") == "Stored colour = blue (version 1)"
        told = await me.call("get_session_data", key="colour")
        assert re.fullmatch(r"colour = blue \(stored at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\)", told)
        assert (await me.call("list_session_keys")).endswith("keys: ['colour']")
        assert await me.call("delete_session_data", key="colour") == "Deleted colour"
        assert "No data found" in await me.call("delete_session_data", key="colour")


@ERAS
async def test_a_typed_value_comes_back_as_its_type(mode: str) -> None:
    async with caller(mode) as me:
        await me.call("add_to_cart", item="tea")
        assert await me.call("add_to_cart", item="milk") == "tea,milk"
        await me.call("set_session_data", key="cart", value="no cart")
        assert 'Stored key "cart" is no Cart' in await me.refused("add_to_cart", item="tea")


async def test_calls_at_the_same_time_take_different_numbers() -> None:
    async with caller("legacy") as me:
        taken = await asyncio.gather(*(me.call("take_number") for _ in range(8)))
        assert sorted(map(int, taken)) == list(range(1, 9))


async def test_a_key_vanishes_when_its_time_is_over() -> None:
    async with caller("legacy") as me:
        await me.call("store_for", key="short", value="v", ttl_seconds=0.05)
        async with asyncio.timeout(5):
            while "No data" not in await me.call("get_session_data", key="short"):
                await asyncio.sleep(0.01)
        for seconds in (0, -1, 1e12):
            assert "ttl_seconds is more than 0" in await me.refused(
                "store_for", key="k", value="v", ttl_seconds=seconds
            )


async def test_clearing_removes_every_key() -> None:
    async with caller("legacy") as me:
        for key in ("a", "b"):
            await me.call("set_session_data", key=key, value="1")
        assert await me.call("clear_all") == "2"
        assert await me.call("clear_all") == "0"
        assert me.site.live().record.key_count == 0


@ERAS
async def test_what_goes_over_a_limit_is_a_clear_error_and_changes_nothing(mode: str) -> None:
    limits = {"max_keys": 2, "max_value_bytes": 100, "max_total_value_bytes": 150}
    async with caller(mode, **limits) as me:
        at_limit = "x" * 98  # and two quotes
        await me.call("set_session_data", key="a", value=at_limit)
        assert "at most 100 bytes; this one has 101" in await me.refused("set_session_data", key="b", value="x" * 99)
        assert "1,000,002" in await me.refused("set_session_data", key="a", value="x" * 1_000_000)
        assert "at most 150 bytes in all" in await me.refused("set_session_data", key="b", value="x" * 49)
        await me.call("set_session_data", key="b", value="x" * 48)
        assert "at most 2 keys" in await me.refused("set_session_data", key="c", value="")
        for name in ("", "x" * 201, "a\nb", "\x1b[31m"):
            assert "1 to 200 printable characters" in await me.refused("set_session_data", key=name, value="1")
        (live,) = [s for s in me.site.switchroom.engine.live() if s.record.key_count]
        kept = await me.site.switchroom.directory.keys(live.record.id)
        assert [(key.name, key.version, key.size_bytes) for key in kept] == [("a", 1, 100), ("b", 1, 50)]


async def test_an_error_that_a_tool_does_not_catch_is_both_ours_and_the_sdks() -> None:
    async with caller("legacy") as me:
        live = me.site.live()
        data = SessionData(me.site.switchroom.engine, live)
        with pytest.raises(Conflict) as conflict:
            await data.set("k", 1, if_version=7)
        assert isinstance(conflict.value, ToolError) and conflict.value.detail == {"version": 0}
