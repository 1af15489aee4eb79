"""A password that is sealed in the store and masked in the log, and a token that only its client sees.

>>> connect(host="db.example.org", password="correct horse battery")
Connected to db.example.org.
>>> who_am_i()
correct...
>>> issue_token()
tok_...
>>> ben.who_am_i()
Error: Call connect first.
"""

from __future__ import annotations

import secrets
from typing import Annotated

from mcp.server.mcpserver import MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, SecretStr

from switchroom.server import SessionData, Settings, attach, session_data
from switchroom.server.attach import Switchroom
from switchroom.server.data import Secret, hide
from switchroom.server.sealing import make_key
from switchroom.server.tools import sessions

mcp = MCPServer("database")

Data = Annotated[SessionData, Resolve(session_data)]


class Login(BaseModel):
    """What the session keeps, sealed as a whole."""

    host: str
    password: SecretStr


@mcp.tool()
async def connect(host: str, password: SecretStr, data: Data, session_id: str | None = None) -> str:
    """Take a secret: the log has `[redacted]` in its place, here and wherever it turns up in this call."""
    await data.set("login", Login(host=host, password=password), secret=True)
    return f"Connected to {host}."


@mcp.tool()
async def who_am_i(data: Data, session_id: str | None = None) -> Annotated[str, Secret()]:
    """Give a secret back: the client gets it, the log does not."""
    login = await data.get("login", as_type=Login)
    if login is None:
        raise ToolError("Call connect first.")
    return login.password.get_secret_value()


@mcp.tool()
async def issue_token(session_id: str | None = None) -> str:
    """Come to know a secret while running, and keep it out of the log all the same."""
    token = f"tok_{secrets.token_urlsafe(16)}"
    hide(token)
    return token


def build(settings: Settings) -> Switchroom:
    """Attach with a key ring; a real one comes from SWITCHROOM_SECRET_KEYS."""
    sessions.add_to(mcp)
    ring = SecretStr(make_key("k1"))
    return attach(mcp, settings=settings.model_copy(update={"secret_keys": ring}))
