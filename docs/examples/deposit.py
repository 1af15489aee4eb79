"""A deposit box that opens for those who have signed in.

>>> put_in(thing="ring")
Error: Session not authenticated. Call secure_login first.
>>> secure_login(username="ana", password="wrong password")
Error: Invalid credentials
>>> secure_login(username="ana", password="correct horse battery")
Authenticated as ana
>>> put_in(thing="ring")
ana put in: ring
>>> ben.put_in(thing="watch")
Error: Session not authenticated. Call secure_login first.
>>> logout()
Logged out successfully
"""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve

from switchroom.server import Settings, SignIn, Switchroom, attach, sign_in
from switchroom.server.tools import signing_in

mcp = MCPServer("deposit")
signing_in.add_to(mcp)


@mcp.tool()
async def put_in(thing: str, signing: Annotated[SignIn, Resolve(sign_in)], session_id: str | None = None) -> str:
    """Put something into the box."""
    signed_in = await signing.require()
    return f"{signed_in.user} put in: {thing}"


class OurUsers:
    """Who may sign in, wherever your application keeps them."""

    async def verify(self, username: str, password: str) -> str | None:
        return "ana" if (username, password) == ("ana", "correct horse battery") else None

    async def stamp(self, username: str) -> str | None:
        return "changes with the password" if username == "ana" else None


def build(settings: Settings) -> Switchroom:
    """Attach with users of our own; without `verifier` it is the file of `switchroom users`."""
    return attach(mcp, settings=settings, verifier=OurUsers())
