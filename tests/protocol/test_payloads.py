"""The setting `payloads`: what the log keeps of messages, and what that means for a client that resumes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from switchroom.server.models import Direction, Event, EventKind
from switchroom.server.store import Retention, SqliteStore, Store
from switchroom.server.store.memory import MemoryStore
from switchroom.server.tools import bundled_server
from switchroom.server.transport.masking import NOT_KEPT
from tests.support.clients import connected, text_of
from tests.support.modern import rows
from tests.support.servers import Site, running
from tests.support.toolbox import Toolbox
from tests.support.wire import session
from tests.support.wire import text_of as text_in

pytestmark = pytest.mark.anyio


def store_of(name: str, folder: Path) -> Store:
    retention = Retention(payload_seconds=600)
    return MemoryStore(retention=retention) if name == "memory" else SqliteStore(folder / "s.db", retention=retention)


async def calls(site: Site) -> list[Event]:
    """Return the rows of tool calls, of every session and client."""
    found = [event for live in list(site.switchroom.engine.by_id) for event in await rows(site, live)]
    return [event for event in found if event.method == "tools/call"]


async def test_everything_is_kept_by_default_and_what_is_too_long_is_cut() -> None:
    async with running(Toolbox().mcp, max_payload_bytes=1024) as site, session(site.url) as wire:
        await wire.call("echo", text="short")
        answer = await wire.call("echo", text="x" * 2_000)
        assert text_in(answer.last) == "x" * 2_000
        first, _, request, response = await calls(site)
        assert first.payload is not None and first.size_bytes == len(first.payload)
        assert request.payload is not None and len(request.payload) == 1024 < request.size_bytes
        assert response.payload is not None and len(response.payload) == response.size_bytes > 2_000  # resumable


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize("payloads", ["resumable", "metadata"])
async def test_what_no_client_can_resume_is_not_kept(payloads: str, mode: str) -> None:
    async with running(bundled_server(), payloads=payloads) as site, connected(site.url, mode=mode) as (client, _):
        assert text_of(await client.call_tool("echo", {"text": "hello"})) == "hello"
        request, response = await calls(site)
        assert request.payload is None and request.size_bytes > 50
        assert (response.payload is not None) is (mode == "legacy")
        assert response.size_bytes > 50 and response.duration_us is not None


async def test_a_stored_keys_value_is_not_in_the_log_either() -> None:
    async with running(bundled_server(), payloads="metadata") as site, connected(site.url) as (client, _):
        await client.call_tool("set_session_data", {"key": "colour", "value": "ultramarine"})
        live = site.live().record
        changes = [event for event in await rows(site, live.id) if event.kind is EventKind.KEY]
        assert changes and "ultramarine" not in repr(changes)
        (past,) = (await site.switchroom.directory.keys_at(live.id, changes[0].seq)).keys
        assert past.is_lost and past.version == 1


@pytest.mark.parametrize("engine", ["memory", "sqlite"])
async def test_an_answer_is_dropped_when_its_time_to_resume_is_over_and_the_client_is_told(
    engine: str, tmp_path: Path
) -> None:
    box = Toolbox()
    async with (
        running(box.mcp, store=store_of(engine, tmp_path), payloads="resumable") as site,
        session(site.url) as wire,
    ):
        async with wire.streaming(wire.call_message("polled")) as stream:
            await stream.rest()
        box.let_go()
        async with asyncio.timeout(5):
            while not [event for event in await calls(site) if event.direction is Direction.FROM_SERVER]:
                await asyncio.sleep(0.01)
        store = site.switchroom.store
        await store.sessions.sweep(time.time() + 300)
        async with wire.listening(stream.last_id) as again:
            assert text_in(await again.until(lambda message: "result" in message)) == "polled"
        await store.sessions.sweep(time.time() + 900)
        (answer,) = [event for event in await calls(site) if event.direction is Direction.FROM_SERVER]
        assert answer.payload is None and answer.size_bytes > 0
        async with wire.listening(stream.last_id) as late:
            message = await late.until(lambda message: "id" in message)
        assert message["error"]["message"] == NOT_KEPT
