"""What an operator does through the API, and what the real client at the other end feels."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from switchroom.server.modern.announcements import URI
from tests.support.clients import connected, text_of
from tests.support.processes import Served, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("serve")
    with serving(folder) as running:
        yield running


async def session_of(api: httpx2.AsyncClient, name: str) -> dict[str, Any]:
    """Return the newest live session of the client with that name."""
    answer = await api.get("/sessions", params={"q": f"client:{name} state:live", "sort": "-created"})
    assert answer.status_code == 200, answer.text
    item: dict[str, Any] = answer.json()["items"][0]
    return item


async def test_a_session_shows_its_state_requests_keys_and_events(served: Served) -> None:
    async with served.api() as api, connected(served.mcp, name="shown") as (client, _):
        await client.call_tool("set_session_data", {"key": "colour", "value": "green"})
        session = await session_of(api, "shown")
        assert session["state"] == "initialized"
        assert session["activity"] == "active"
        assert session["client"] == {"name": "shown", "version": "1.0"}
        assert session["era"] == "handshake"
        assert session["protocol_version"] == "2025-11-25"
        assert session["request_count"] >= 2
        keys = (await api.get(f"/sessions/{session['id']}/keys")).json()["items"]
        assert [key["name"] for key in keys] == ["colour"]
        events = (await api.get(f"/sessions/{session['id']}/events")).json()["items"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert "tools/call" in {event["method"] for event in events}


async def test_the_secret_finds_its_session_and_never_appears(served: Served) -> None:
    async with served.api() as api:
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
        async with httpx2.AsyncClient() as http:
            opened = await http.post(served.mcp, json=body, headers=ACCEPT)
        secret = opened.headers["mcp-session-id"]
        found = (await api.post("/sessions/lookup", json={"mcp_session_id": secret})).json()
        assert found["mcp_session_id_prefix"] == secret[:8]
        assert secret not in (await api.get("/sessions")).text
        assert (await api.get("/sessions", params={"q": f'"{secret[:8]}"'})).json()["total"] == 1
        unknown = await api.post("/sessions/lookup", json={"mcp_session_id": "0" * 32})
        assert unknown.status_code == 404
        assert "never issued" in unknown.json()["detail"]


async def test_expiring_a_session_tells_its_client_why(served: Served) -> None:
    async with served.api() as api, connected(served.mcp, name="expired") as (client, _):
        session = await session_of(api, "expired")
        answer = await api.post(f"/sessions/{session['id']}/expiration", json={"reason": "moving to green"})
        assert answer.status_code in (200, 201), answer.text
        with pytest.raises(MCPError, match="moving to green"):
            await client.call_tool("echo", {"text": "still there?"})
        ended = (await api.get(f"/sessions/{session['id']}")).json()
        assert ended["state"] == "expired"
        assert ended["end_reason"] == "moving to green"


async def test_a_call_in_flight_is_answered_when_its_session_is_expired(served: Served) -> None:
    async with served.api() as api, connected(served.mcp, name="in-flight") as (client, _):
        session = await session_of(api, "in-flight")
        call = asyncio.create_task(client.call_tool("wait", {"seconds": 60}))
        await until_in_flight(api, session["id"])
        await api.post(f"/sessions/{session['id']}/expiration", json={"reason": "hung call"})
        with pytest.raises(MCPError, match="hung call"):
            await asyncio.wait_for(call, 10)


async def test_cancelling_a_hung_call_leaves_the_session_usable(served: Served) -> None:
    async with served.api() as api, connected(served.mcp, name="hung") as (client, _):
        session = await session_of(api, "hung")
        call = asyncio.create_task(client.call_tool("wait", {"seconds": 60}))
        request_id = await until_in_flight(api, session["id"])
        body = {"request_id": request_id, "reason": "too slow"}
        answer = await api.post(f"/sessions/{session['id']}/cancellations", json=body)
        assert answer.json()["outcome"] == "cancelled", answer.text
        with pytest.raises(MCPError, match="too slow"):
            await asyncio.wait_for(call, 10)
        assert text_of(await client.call_tool("echo", {"text": "fine"})) == "fine"


async def test_a_replayed_notification_reaches_the_client_again(served: Served) -> None:
    async with served.api() as api, connected(served.mcp, name="replayed") as (_, hearing):
        session = await session_of(api, "replayed")
        await until_stream(api, session["id"])
        sent = await api.post(
            "/broadcasts", json={"text": "once more", "level": "info", "filter": f"id:{session['id']}"}
        )
        assert sent.status_code == 201, sent.text
        await hearing.until_logged("once more")
        events = (await api.get(f"/sessions/{session['id']}/events", params={"method": "notifications/message"})).json()
        seq = events["items"][-1]["seq"]
        replay = (await api.post(f"/sessions/{session['id']}/replays", json={"seqs": [seq, 1]})).json()
        assert replay["delivered"] == 1
        assert replay["skipped"] == 1
        await hearing.until_logged("once more", times=2)


async def test_a_broadcast_reaches_both_eras_and_its_figures_add_up(served: Served) -> None:
    async with (
        served.api() as api,
        connected(served.mcp, name="both-old") as (_, hearing),
        connected(served.mcp, mode="auto", name="both-new") as (modern, _),
        modern.listen(resource_subscriptions=[URI]) as subscription,
    ):
        await until_stream(api, (await session_of(api, "both-old"))["id"])
        body = {"text": "maintenance at noon", "filter": "client:both-old,both-new", "idempotency_key": "noon"}
        first = (await api.post("/broadcasts", json=body)).json()
        second = (await api.post("/broadcasts", json=body)).json()
        assert first["id"] == second["id"]
        await hearing.until_logged("maintenance at noon")
        async with asyncio.timeout(5):
            event = await anext(aiter(subscription))
        assert getattr(event, "uri", None) == URI
        assert "maintenance at noon" in str(await modern.read_resource(URI))
        figures = await until_settled(api, first["id"])
        assert figures["audience"] == 2
        assert figures["delivered"] == 2
        names = ("delivered", "queued", "not_listening", "below_level", "skipped", "failed", "pending")
        assert sum(figures[name] for name in names) == figures["audience"]
        assert hearing.logs.count("maintenance at noon") == 1


async def test_every_action_is_in_the_audit_log_and_a_viewer_may_do_none(served: Served) -> None:
    async with served.api("viewer") as viewer, served.api() as api, connected(served.mcp, name="audited"):
        session = await session_of(viewer, "audited")
        refused = await viewer.post(f"/sessions/{session['id']}/expiration", json={"reason": "no"})
        assert refused.status_code == 403
        assert refused.headers["content-type"].startswith("application/problem+json")
        assert (await session_of(viewer, "audited"))["state"] == "initialized"
        await api.post(f"/sessions/{session['id']}/expiration", json={"reason": "audited end"})
        entries = (await api.get("/audit")).json()["items"]
        done = next(entry for entry in entries if entry["reason"] == "audited end")
        assert (done["action"], done["outcome"]) == ("expire", "done")
        assert session["id"] in done["target"]


async def test_keys_of_the_newer_era_belong_to_a_handle_that_the_log_masks(served: Served) -> None:
    async with served.api() as api, connected(served.mcp, mode="auto", name="handled") as (client, _):
        handle = text_of(await client.call_tool("open_session"))
        await client.call_tool("set_session_data", {"key": "k", "value": "v", "session_id": handle})
        assert "k = v" in text_of(await client.call_tool("get_session_data", {"key": "k", "session_id": handle}))
        session = await session_of(api, "handled")
        assert (session["kind"], session["era"], session["key_count"]) == ("handle", "modern", 1)
        events = await api.get(f"/sessions/{session['id']}/events")
        assert handle not in events.text
        clients = (await api.get("/clients")).json()["items"]
        client_id = next(item["id"] for item in clients if item["client"]["name"] == "handled")
        assert handle not in (await api.get(f"/sessions/{client_id}/events")).text
        assert "Closed" in text_of(await client.call_tool("close_session", {"session_id": handle}))
        gone = await client.call_tool("get_session_data", {"key": "k", "session_id": handle})
        assert text_of(gone).endswith("This session was closed by its client. Call open_session to start a new one.")
        assert (gone.meta or {})["switchroom/error"] == {"code": "session_ended"}


async def until_in_flight(api: httpx2.AsyncClient, session_id: str) -> Any:
    """Wait for the session's call and return its request id."""
    async with asyncio.timeout(5):
        while not (items := (await api.get(f"/sessions/{session_id}/in-flight")).json()["items"]):
            await asyncio.sleep(0.02)
    return items[0]["request_id"]


async def until_stream(api: httpx2.AsyncClient, session_id: str) -> None:
    """Wait until the session's client has opened its standalone stream."""
    async with asyncio.timeout(5):
        while not (await api.get(f"/sessions/{session_id}")).json()["open_streams"]:
            await asyncio.sleep(0.02)


async def until_settled(api: httpx2.AsyncClient, broadcast_id: str) -> dict[str, Any]:
    """Wait until no recipient is pending and return the figures."""
    async with asyncio.timeout(5):
        while True:
            figures: dict[str, Any] = (await api.get(f"/broadcasts/{broadcast_id}")).json()
            if figures["status"] == "done" and figures["pending"] == 0:
                return figures
            await asyncio.sleep(0.02)


ACCEPT = {"Accept": "application/json, text/event-stream"}
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "raw", "version": "0"},
}
