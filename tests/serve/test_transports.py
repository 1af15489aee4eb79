"""The guide's other transports: HTTP+SSE, stdio, and Streamable HTTP without sessions or as JSON."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import httpx2
import mcp_types
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError

from tests.support.clients import Hearing, connected, text_of
from tests.support.processes import environment, run_command, serving

pytestmark = pytest.mark.anyio


async def only_session(api: httpx2.AsyncClient, kind: str) -> dict[str, Any]:
    items = (await api.get("/sessions", params={"q": f"kind:{kind} state:live"})).json()["items"]
    assert len(items) == 1, items
    found: dict[str, Any] = items[0]
    return found


async def lifecycle(api: httpx2.AsyncClient, session_id: str) -> list[str]:
    """Return what a session's log says of its life."""
    events = (await api.get(f"/sessions/{session_id}/events", params={"kind": "lifecycle"})).json()["items"]
    return [event["method"] for event in events]


def files_below(folder: Path) -> list[str]:
    """Return the names of the files that sessions hold there."""
    return sorted(path.name for path in folder.rglob("*.txt"))


async def test_http_sse_sessions_are_listed_logged_told_and_ended(tmp_path: Path) -> None:
    hearing = Hearing()
    info = mcp_types.Implementation(name="older", version="1.0")
    with serving(tmp_path, "--sse") as served:
        transport = sse_client(f"{served.base}/sse")
        async with (
            served.api() as api,
            Client(transport, mode="legacy", client_info=info, logging_callback=hearing.on_log) as client,
        ):
            await client.call_tool("set_session_data", {"key": "k", "value": "v"})
            session = await only_session(api, "sse")
            assert (session["state"], session["client"]["name"], session["key_count"]) == ("initialized", "older", 1)
            assert session["open_streams"] == 1
            events = (await api.get(f"/sessions/{session['id']}/events")).json()["items"]
            assert {"initialize", "tools/call"} <= {event["method"] for event in events}
            sent = await api.post("/broadcasts", json={"text": "hello, older one", "filter": "kind:sse"})
            assert sent.json()["audience"] == 1
            await hearing.until_logged("hello, older one")
            call = asyncio.create_task(client.call_tool("wait", {"seconds": 60}))
            await until_in_flight(api, session["id"])
            flying = (await api.get(f"/sessions/{session['id']}/in-flight")).json()["items"][0]["request_id"]
            body = {"request_id": flying, "reason": "too slow"}
            cancelled = (await api.post(f"/sessions/{session['id']}/cancellations", json=body)).json()
            assert cancelled["outcome"] == "cancelled"
            with pytest.raises(MCPError, match="too slow"):
                await asyncio.wait_for(call, 5)
            assert text_of(await client.call_tool("echo", {"text": "fine"})) == "fine"
            await api.post(f"/sessions/{session['id']}/expiration", json={"reason": "enough"})
            ended = (await api.get(f"/sessions/{session['id']}")).json()
            assert (ended["state"], ended["end_reason"]) == ("expired", "enough")
        assert "Traceback" not in served.text, served.text


async def test_an_sse_session_ends_with_its_connection(tmp_path: Path) -> None:
    with serving(tmp_path, "--sse", resources_dir=str(tmp_path / "held")) as served:
        async with served.api() as api:
            async with Client(sse_client(f"{served.base}/sse"), mode="legacy") as client:
                held = text_of(await client.call_tool("create_managed_resource", {"resource_type": "file"}))
                session = await only_session(api, "sse")
                assert held == f"Created file resource for session {session['id']}: file-1.txt"
                assert files_below(tmp_path / "held") == ["file-1.txt"]
            async with asyncio.timeout(5):
                while (ended := (await api.get(f"/sessions/{session['id']}")).json())["state"] != "closed":
                    await asyncio.sleep(0.02)
                while "resource_closed" not in await lifecycle(api, session["id"]):
                    await asyncio.sleep(0.02)
            assert ended["end_code"] == "disconnect"
            assert files_below(tmp_path / "held") == []


async def test_what_a_stdio_session_holds_is_closed_when_its_client_leaves(tmp_path: Path) -> None:
    arguments = ["-m", "switchroom.dashboard", "serve", "--stdio", "--port", "0"]
    parameters = StdioServerParameters(
        command=sys.executable, args=arguments, cwd=tmp_path, env=environment(resources_dir=str(tmp_path / "held"))
    )
    with (tmp_path / "stderr.txt").open("w+") as log:
        async with Client(stdio_client(parameters, errlog=log), mode="legacy") as client:
            held = text_of(await client.call_tool("create_managed_resource", {"resource_type": "file"}))
            session_id = held.split()[5].rstrip(":")
            assert files_below(tmp_path / "held") == ["file-1.txt"]
    assert files_below(tmp_path / "held") == []
    with serving(tmp_path) as served:
        async with served.api() as api:
            ended = (await api.get(f"/sessions/{session_id}")).json()
            assert (ended["state"], ended["end_code"]) == ("closed", "disconnect")
            assert "resource_closed" in await lifecycle(api, session_id)


async def test_stdio_has_one_session_beside_its_console(tmp_path: Path) -> None:
    hearing = Hearing()
    arguments = ["-m", "switchroom.dashboard", "serve", "--stdio", "--port", "0"]
    parameters = StdioServerParameters(command=sys.executable, args=arguments, cwd=tmp_path, env=environment())
    info = mcp_types.Implementation(name="piped", version="1.0")
    log = (tmp_path / "stderr.txt").open("w+")
    try:
        async with Client(
            stdio_client(parameters, errlog=log), mode="legacy", client_info=info, logging_callback=hearing.on_log
        ) as client:
            await client.call_tool("set_session_data", {"key": "k", "value": "v"})
            base = re.search(r"MCP\s+(http://\S+)/mcp", (tmp_path / "stderr.txt").read_text())
            assert base is not None
            token = run_command(tmp_path, "tokens", "create", "--name", "t", "--role", "operator").splitlines()[-1]
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx2.AsyncClient(base_url=f"{base[1]}/api/v1", headers=headers) as api:
                session = await only_session(api, "stdio")
                assert (session["client"]["name"], session["key_count"]) == ("piped", 1)
                await api.post("/broadcasts", json={"text": "over the pipe", "filter": "kind:stdio"})
                await hearing.until_logged("over the pipe")
                call = asyncio.create_task(client.call_tool("wait", {"seconds": 60}))
                await until_in_flight(api, session["id"])
                await api.post(f"/sessions/{session['id']}/expiration", json={"reason": "unplugged"})
                with pytest.raises(MCPError, match="unplugged"):
                    await asyncio.wait_for(call, 5)
    finally:
        log.close()


async def test_json_answers_carry_the_same_sessions(tmp_path: Path) -> None:
    with serving(tmp_path, "--json-response") as served:
        async with served.api() as api, connected(served.mcp, name="as-json") as (client, _):
            assert text_of(await client.call_tool("echo", {"text": "x"})) == "x"
            session = await only_session(api, "streamable-http")
            assert session["request_count"] >= 1


async def test_stateless_calls_belong_to_no_session(tmp_path: Path) -> None:
    with serving(tmp_path, "--stateless") as served:
        async with served.api() as api, connected(served.mcp, name="stateless") as (client, _):
            assert text_of(await client.call_tool("echo", {"text": "x"})) == "x"
            assert "--stateless" in text_of(await client.call_tool("list_session_keys", {}))
            assert (await api.get("/sessions")).json()["total"] == 0
            clients = (await api.get("/clients")).json()["items"]
            assert sum(item["request_count"] for item in clients) >= 1
            assert {item["era"] for item in clients} == {"handshake"}


async def until_in_flight(api: httpx2.AsyncClient, session_id: str) -> None:
    async with asyncio.timeout(5):
        while not (await api.get(f"/sessions/{session_id}/in-flight")).json()["items"]:
            await asyncio.sleep(0.02)
