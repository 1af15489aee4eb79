"""Sessions outlive the process, whether it is killed or asked to stop."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from tests.support.clients import connected, text_of
from tests.support.processes import Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.fault]


async def test_a_client_goes_on_after_the_server_was_killed(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        async with connected(first.mcp, name="survivor") as (client, _):
            await client.call_tool("set_session_data", {"key": "kept", "value": "yes"})
            before = await the_session(first, "survivor")
            first.stop(signal.SIGKILL)
            with serving(tmp_path, "--port", str(first.port)) as second:
                assert "kept = yes" in text_of(await client.call_tool("get_session_data", {"key": "kept"}))
                after = await the_session(second, "survivor")
                assert after["id"] == before["id"]
                assert after["client"] == before["client"]
                seqs = await event_numbers(second, after["id"])
                assert seqs == list(range(1, len(seqs) + 1))


async def test_a_stop_signal_answers_calls_ends_streams_and_is_quick(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        async with connected(served.mcp, name="stopped") as (client, _):
            call = asyncio.create_task(client.call_tool("wait", {"seconds": 60}))
            async with served.api() as api:
                async with asyncio.timeout(5):
                    while not (await the_session(served, "stopped", api))["in_flight"]:
                        await asyncio.sleep(0.02)
            seconds = await asyncio.to_thread(served.stop)
            assert seconds < 3
            with pytest.raises(MCPError, match="shutting down"):
                await asyncio.wait_for(call, 5)
            assert "ERROR" not in served.text, served.text
            assert "Traceback" not in served.text, served.text


async def the_session(served: Served, name: str, api: httpx2.AsyncClient | None = None) -> dict[str, object]:
    if api is None:
        async with served.api("viewer") as own:
            return await the_session(served, name, own)
    items = (await api.get("/sessions", params={"q": f"client:{name}"})).json()["items"]
    found: dict[str, object] = items[0]
    return found


async def event_numbers(served: Served, session_id: object) -> list[int]:
    async with served.api("viewer") as api:
        events = (await api.get(f"/sessions/{session_id}/events", params={"limit": 1000})).json()["items"]
        return [event["seq"] for event in events]
