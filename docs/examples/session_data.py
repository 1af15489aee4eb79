"""Typed values, a key that vanishes, and a number that is never taken twice.

>>> add_line(item="tea", count=2)
2 lines in the cart: pot, tea
>>> take_ticket()
1
>>> take_ticket()
2
>>> ben.take_ticket()
1
>>> start_checkout()
You have 10 minutes.
>>> cart_version()
2
>>> remember(name="", value="x")
Error: A key's name has 1 to 200 printable characters; this one has 0.
>>> remember(name="big", value="...")
kept
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve
from pydantic import BaseModel

from switchroom.server import SessionData, session_data
from switchroom.server.errors import Conflict

mcp = MCPServer("tickets")

Data = Annotated[SessionData, Resolve(session_data)]


class Cart(BaseModel):
    """A value with a type."""

    items: dict[str, int] = {}


@mcp.tool()
async def add_line(item: str, count: int, data: Data, session_id: str | None = None) -> str:
    """Keep a pydantic model; every change counts the key's version up."""
    cart = await data.get("cart", Cart(items={"pot": 1}), as_type=Cart)
    await data.set("cart", cart)
    cart.items[item] = count
    await data.set("cart", cart)
    return f"{len(cart.items)} lines in the cart: {', '.join(cart.items)}"


@mcp.tool()
async def cart_version(data: Data, session_id: str | None = None) -> int:
    """Tell how often the cart was stored."""
    entry = await data.entry("cart")
    return entry.version if entry is not None else 0


@mcp.tool()
async def take_ticket(data: Data, session_id: str | None = None) -> int:
    """Count up by compare-and-set: of two calls at once, one tries again."""
    while True:
        entry = await data.entry("ticket")
        number = await data.get("ticket", 0, as_type=int) + 1
        try:
            await data.set("ticket", number, if_version=entry.version if entry is not None else 0)
        except Conflict:
            continue
        return number


@mcp.tool()
async def start_checkout(data: Data, session_id: str | None = None) -> str:
    """Keep something for a while."""
    await data.set("checkout", {"step": 1}, ttl_seconds=600)
    return "You have 10 minutes."


@mcp.tool()
async def remember(name: str, value: str, data: Data, session_id: str | None = None) -> str:
    """Let an error tell the client what to do: nothing needs to be caught."""
    await data.set(name, value)
    return "kept"
