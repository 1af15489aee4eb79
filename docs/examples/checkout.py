"""A checkout that is all or nothing: when the card is declined, the cart is as it was.

>>> add(item="tea")
1 in the cart
>>> check_out(card="declined")
Error: The card was declined. Try another one.
>>> add(item="milk")
2 in the cart
>>> check_out(card="good")
Order 1: tea, milk
>>> check_out(card="good")
Error: The cart is empty: add something first.
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve

from switchroom.server import SessionData, ToolFailure, robust, session_data

mcp = MCPServer("checkout")

Data = Annotated[SessionData, Resolve(session_data)]


@mcp.tool()
async def add(item: str, data: Data, session_id: str | None = None) -> str:
    """Put something into the cart."""
    cart = [*await data.get("cart", []), item]
    await data.set("cart", cart)
    return f"{len(cart)} in the cart"


@mcp.tool()
@robust
async def check_out(card: str, data: Data, session_id: str | None = None) -> str:
    """Order what is in the cart."""
    cart = await data.get("cart", [])
    number = await data.get("orders", 0) + 1
    await data.set("orders", number)
    await data.delete("cart")
    if not cart:
        raise ToolFailure("empty_cart", "The cart is empty: add something first.")
    if card == "declined":
        raise ToolFailure("card_declined", "The card was declined. Try another one.")
    return f"Order {number}: {', '.join(cart)}"
