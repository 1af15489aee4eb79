"""What the one sweeper does to live sessions: keys whose time is up."""

from __future__ import annotations

from typing import Annotated

import pytest
from mcp.server.mcpserver import MCPServer, Resolve

from switchroom.server.data import SessionData, session_data
from tests.support.servers import eventually, running
from tests.support.wire import session, text_of

pytestmark = pytest.mark.anyio


def remembering() -> MCPServer:
    mcp = MCPServer("remembering")

    @mcp.tool()
    async def remember(
        name: str, data: Annotated[SessionData, Resolve(session_data)], seconds: float | None = None
    ) -> str:
        """Store a key, for some seconds where that is given."""
        await data.set(name, "x", ttl_seconds=seconds)
        return ", ".join(await data.keys())

    return mcp


async def test_a_key_whose_time_is_up_is_neither_kept_nor_counted_and_the_log_says_so() -> None:
    async with running(remembering()) as site, session(site.url) as wire:
        await wire.call("remember", name="for ever")
        assert text_of((await wire.call("remember", name="short", seconds=0.3)).last) == "for ever, short"
        directory, session_id = site.switchroom.directory, site.live().record.id
        assert (await directory.session(session_id)).key_count == 2
        await eventually(lambda: site.live().record.key_count == 1, within=8)
        assert [key.name for key in await directory.keys(session_id)] == ["for ever"]
        expired = [event for event in await site.events() if event.method == "expire"]
        assert [event.payload for event in expired] == ['{"change": "expire", "key": "short"}']
