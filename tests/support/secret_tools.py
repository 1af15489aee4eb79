"""A server whose tools are given secrets and give some, and everything that its log holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
)
from pydantic import BaseModel, SecretStr

from switchroom.server.data import Secret, hide, log_message
from switchroom.server.models import Event
from tests.support.modern import rows
from tests.support.servers import Site, running

TOKEN = "mk-issued-4f1c9d"
PASSWORD = "mk-password-77ab02"


class Account(BaseModel):
    """A result with one secret member."""

    owner: str
    number: Annotated[str, Secret()]


def vault() -> MCPServer[Any]:
    """Return a server whose tools are given secrets and give some."""
    mcp: MCPServer[Any] = MCPServer("vault")

    @mcp.tool()
    async def login(name: str, password: SecretStr, ctx: Context) -> str:
        """Echo a secret everywhere."""
        await log_message(ctx, "info", f"{name} sent {password.get_secret_value()}")
        return f"{name}:{password.get_secret_value()}"

    @mcp.tool()
    async def refuse(password: SecretStr) -> str:
        """Fail with a secret in the message."""
        raise ToolError(f"{password.get_secret_value()} is wrong")

    @mcp.tool()
    async def issue() -> Annotated[str, Secret()]:
        """Return a secret."""
        return TOKEN

    @mcp.tool()
    async def issue_slowly(ctx: Context) -> Annotated[str, Secret()]:
        """Return a secret on a live stream."""
        await ctx.report_progress(1, 2, "half")
        await ctx.close_sse_stream()
        await asyncio.sleep(0.05)
        return TOKEN

    @mcp.tool()
    async def account() -> Account:
        """Return a secret among other things."""
        return Account(owner="ann", number=TOKEN)

    @mcp.tool()
    async def discover() -> str:
        """Come to know a secret."""
        hide(TOKEN)
        return f"found {TOKEN}"

    @mcp.tool()
    async def ask_for_pin(ctx: Context) -> str:
        """Ask for a secret in a form, and repeat it."""
        schema = {"type": "object", "properties": {"pin": {"type": "string", "x-secret": True}}}
        params = ElicitRequestFormParams(message="The pin?", requested_schema=schema)
        related = ServerMessageMetadata(related_request_id=ctx.request_id)
        answer = await ctx.session.send_request(ElicitRequest(params=params), ElicitResult, metadata=related)
        return f"the pin is {(answer.content or {})['pin']}"

    @mcp.prompt()
    async def greeting() -> str:
        """A prompt with a secret in it."""
        hide(TOKEN)
        return f"say {TOKEN}"

    @mcp.resource("vault://token")
    async def token() -> str:
        """A resource that is a secret."""
        hide(TOKEN)
        return f"it is {TOKEN}"

    return mcp


@asynccontextmanager
async def site(**settings: Any) -> AsyncGenerator[Site]:
    async with running(vault(), **settings) as served:
        yield served


async def events(served: Site) -> list[Event]:
    """Return everything that every session and client has in its log."""
    found: list[Event] = []
    for live in list(served.switchroom.engine.by_id):
        found += await rows(served, live)
    return found


async def log_of(served: Site) -> str:
    """Return every payload as one text."""
    found = await events(served)
    assert [event.seq for event in found]
    return "\n".join(event.payload or "" for event in found)
