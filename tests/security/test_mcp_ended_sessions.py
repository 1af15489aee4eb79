"""Sessions that end under their clients, and clients that are kept out. Every call is answered, never with silence."""

from __future__ import annotations

import asyncio

import httpx
import httpx2
import pytest

from tests.security.neighbours import modern_call
from tests.support.processes import Served
from tests.support.wire import session

pytestmark = pytest.mark.anyio


async def until_in_flight(api: httpx2.AsyncClient, session_id: str) -> None:
    async with asyncio.timeout(8):
        while not (await api.get(f"/sessions/{session_id}/in-flight")).json()["items"]:
            await asyncio.sleep(0.02)


async def test_a_call_in_flight_is_answered_when_its_client_closes_the_session(plain: Served) -> None:
    async with plain.api() as api, session(plain.mcp) as wire:
        found = (await api.post("/sessions/lookup", json={"mcp_session_id": wire.session_id})).json()
        call = asyncio.create_task(wire.call("pause", seconds=60))
        await until_in_flight(api, found["id"])
        assert (await wire.delete()).status_code == 200
        assert "closed by its client" in (await asyncio.wait_for(call, 10)).last["error"]["message"]


async def test_a_call_in_flight_is_answered_when_an_operator_ends_the_session(plain: Served) -> None:
    async with plain.api() as api, session(plain.mcp) as wire:
        found = (await api.post("/sessions/lookup", json={"mcp_session_id": wire.session_id})).json()
        call = asyncio.create_task(wire.call("pause", seconds=60))
        await until_in_flight(api, found["id"])
        await api.post(f"/sessions/{found['id']}/expiration", json={"reason": "a test of patience"})
        assert "a test of patience" in (await asyncio.wait_for(call, 10)).last["error"]["message"]
        after = await wire.call("echo", text="x")
        assert after.status == 404 and "a test of patience" in after.text
        assert (await wire.refused_get()).status_code == 404


async def test_a_call_of_the_newer_era_is_answered_when_its_handle_is_ended(plain: Served) -> None:
    async with plain.api() as api, httpx.AsyncClient(timeout=20) as http:
        opened = await modern_call(http, plain.mcp, "open_session")
        handle = opened.json()["result"]["content"][0]["text"]
        found = (await api.post("/sessions/lookup", json={"mcp_session_id": handle})).json()
        arguments = {"key": "a", "value": "b", "session_id": handle}
        assert "Stored" in (await modern_call(http, plain.mcp, "set_session_data", **arguments)).text
        await api.post(f"/sessions/{found['id']}/expiration", json={"reason": "no more"})
        refused = (await modern_call(http, plain.mcp, "set_session_data", **arguments)).json()["result"]
        assert refused["isError"] is True
        assert (await api.get(f"/sessions/{found['id']}/keys")).json()["items"] == []


async def test_an_ended_session_leaves_nothing_open(plain: Served) -> None:
    async with plain.api() as api, session(plain.mcp) as wire, wire.listening() as stream:
        await stream.next()
        found = (await api.post("/sessions/lookup", json={"mcp_session_id": wire.session_id})).json()
        await api.post(f"/sessions/{found['id']}/expiration", json={"reason": "over"})
        assert await stream.rest() == []
        assert (await api.get(f"/sessions/{found['id']}/streams")).json()["items"] == []
