"""Secrets on connections that the SDK itself serves: nothing there says which call a message belongs to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from switchroom.server.tools.bundled import bundled_server
from switchroom.server.transport.tool_marks import ToolMarks
from switchroom.server.transport.wire import WireRecorder
from tests.support.modern import rows
from tests.support.servers import Site, running
from tests.support.wire import session

pytestmark = pytest.mark.anyio

SECRET = "mk-late-31d0aa"


async def unused(message: dict[str, Any]) -> None:
    raise AssertionError(f"nothing is sent by itself: {message}")


@asynccontextmanager
async def recorded() -> AsyncGenerator[tuple[Site, WireRecorder]]:
    """Record messages as a connection's would be, into a session's log."""
    async with running(bundled_server()) as site, session(site.url):
        yield (
            site,
            WireRecorder(site.switchroom.engine, site.live(), ToolMarks(), to_client=unused, to_server=unused),
        )


async def log_of(site: Site) -> str:
    return "\n".join(event.payload or "" for event in await rows(site, site.live().record.id))


async def test_a_message_after_the_answer_of_its_call_is_masked_too() -> None:
    async with recorded() as (site, wire):
        call = wire.from_client({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "x"}})
        assert call is not None
        call.hidden.append(SECRET)
        wire.from_server({"jsonrpc": "2.0", "id": 7, "result": {"content": [{"type": "text", "text": SECRET}]}})
        late = {"level": "info", "data": f"done with {SECRET}"}
        wire.from_server({"jsonrpc": "2.0", "method": "notifications/message", "params": late})
        await site.switchroom.engine.save(site.live())
        log = await log_of(site)
    assert SECRET not in log and "done with [redacted]" in log


async def test_what_a_form_marks_is_masked_in_the_clients_answer() -> None:
    schema = {"type": "object", "properties": {"pin": {"type": "string", "format": "password"}}}
    async with recorded() as (site, wire):
        asked = {"message": "The pin?", "requestedSchema": schema, "mode": "form"}
        wire.from_server({"jsonrpc": "2.0", "id": "a", "method": "elicitation/create", "params": asked})
        wire.from_client({"jsonrpc": "2.0", "id": "a", "result": {"action": "accept", "content": {"pin": SECRET}}})
        told = {"level": "info", "data": f"got {SECRET}"}
        wire.from_server({"jsonrpc": "2.0", "method": "notifications/message", "params": told})
        await site.switchroom.engine.save(site.live())
        log = await log_of(site)
    assert SECRET not in log and '"pin":"[redacted]"' in log and "got [redacted]" in log
