"""A shopping cart that its session keeps.

>>> add_to_cart(item="tea")
1
>>> add_to_cart(item="milk")
2
>>> show_cart()
tea, milk
>>> ben.show_cart()
The cart is empty.
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve

from switchroom.server import SessionData, session_data

mcp = MCPServer("shop")

Data = Annotated[SessionData, Resolve(session_data)]


@mcp.tool()
async def add_to_cart(item: str, data: Data, session_id: str | None = None) -> int:
    """Put something into the cart and return how much is in it."""
    cart = [*await data.get("cart", []), item]
    await data.set("cart", cart)
    return len(cart)


@mcp.tool()
async def show_cart(data: Data, session_id: str | None = None) -> str:
    """Say what is in the cart."""
    return ", ".join(await data.get("cart", [])) or "The cart is empty."
