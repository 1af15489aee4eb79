"""The servers that the attacks meet: one without authentication, one that asks for signed tokens."""

from __future__ import annotations

import asyncio
from typing import Any

import jwt
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import LoggingMessageNotification, LoggingMessageNotificationParams
from pydantic import AnyHttpUrl

from switchroom.server.data import log_message
from switchroom.server.directory import Directory
from switchroom.server.tools import session_keys, sessions

SIGNING_KEY = "the key of the test's authorisation server"
ISSUER = "https://id.example"
RESOURCE = "http://127.0.0.1/mcp"


class SignedTokens:
    """Takes what the authorisation server has signed for this resource, and nothing else."""

    async def verify_token(self, token: str) -> AccessToken | None:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, SIGNING_KEY, algorithms=["HS256"], audience=RESOURCE, issuer=ISSUER
            )
        except jwt.InvalidTokenError:
            return None
        return AccessToken(
            token=token,
            client_id=str(claims.get("client_id", "")),
            scopes=str(claims.get("scope", "")).split(),
            expires_at=int(claims["exp"]),
            subject=str(claims["sub"]),
            resource=str(claims["aud"]),
            claims=claims,
        )


def _with_tools(mcp: MCPServer) -> MCPServer:
    sessions.add_to(mcp)
    session_keys.add_to(mcp)

    @mcp.tool()
    async def echo(text: str) -> str:
        """Return the text."""
        return text

    @mcp.tool()
    async def tell(ctx: Context, text: str) -> str:
        """Log the text to the client on its standalone stream."""
        params = LoggingMessageNotificationParams(level="info", data=text)
        await ctx.session.send_notification(LoggingMessageNotification(params=params))
        return "told"

    @mcp.tool()
    async def pause(seconds: float) -> str:
        """Take some time."""
        await asyncio.sleep(seconds)
        return "rested"

    @mcp.tool()
    async def emit(ctx: Context, count: int, size: int) -> str:
        """Send `count` log messages of `size` characters."""
        for number in range(count):
            await log_message(ctx, "info", f"{number}:" + "x" * size)
        return f"emitted {count}"

    @mcp.tool()
    async def fail(text: str) -> str:
        """Fail with the text in the error."""
        raise RuntimeError(text)

    return mcp


plain = _with_tools(MCPServer("attacked", version="1.0"))

guarded = _with_tools(
    MCPServer(
        "guarded",
        version="1.0",
        token_verifier=SignedTokens(),
        auth=AuthSettings(
            issuer_url=AnyHttpUrl(ISSUER),
            resource_server_url=AnyHttpUrl(RESOURCE),
            required_scopes=["use"],
            validate_token_resource=False,
        ),
    )
)

CRASH = "what only the log may say"


def _fail(*_: object) -> None:
    raise RuntimeError(CRASH)


def __getattr__(name: str) -> MCPServer:
    """Give `crashing`: the plain server, in a process whose health page is broken from then on."""
    if name != "crashing":
        raise AttributeError(name)
    Directory.health = _fail  # type: ignore[method-assign,assignment]
    return plain
