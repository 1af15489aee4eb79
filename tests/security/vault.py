"""A server whose tools are given secrets, give some, and spill them wherever a careless author might."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer, Resolve
from pydantic import BaseModel, SecretStr

from switchroom.server.data import Secret, SessionData, hide, log_message, session_data
from switchroom.server.tools import sensitive, sessions

Data = Annotated[SessionData, Resolve(session_data)]


class Account(BaseModel):
    """A result with one secret member."""

    owner: str
    number: Annotated[str, Secret()]


mcp = MCPServer("vault")
sessions.add_to(mcp)
sensitive.add_to(mcp)


@mcp.tool()
async def login(password: SecretStr, ctx: Context, session_id: str | None = None) -> str:
    """Echo a secret in a log message and in the answer."""
    await log_message(ctx, "info", f"sent {password.get_secret_value()}")
    return f"welcome, {password.get_secret_value()}"


@mcp.tool()
async def crash(password: SecretStr) -> str:
    """Raise with a secret in the message, which goes to the server's log."""
    raise RuntimeError(f"no such password: {password.get_secret_value()}")


@mcp.tool()
async def misuse(password: SecretStr, count: int) -> str:
    """Have a schema that a client can violate."""
    return str(count)


@mcp.tool()
async def issue(text: SecretStr) -> Annotated[str, Secret()]:
    """Return a secret."""
    return text.get_secret_value()


@mcp.tool()
async def account(text: SecretStr) -> Account:
    """Return a secret among other things."""
    return Account(owner="ann", number=text.get_secret_value())


@mcp.tool()
async def remember(text: SecretStr, data: Data, session_id: str | None = None) -> str:
    """Keep a secret, twice, so that the log holds two versions."""
    await data.set("credentials", {"token": "first"}, secret=True)
    await data.set("credentials", {"token": text.get_secret_value()}, secret=True)
    hide(text.get_secret_value()[::-1])
    return text.get_secret_value()[::-1]
