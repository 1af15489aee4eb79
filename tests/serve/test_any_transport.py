"""What holds on HTTP+SSE and stdio as it does on Streamable HTTP, for clients of both eras."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import mcp_types
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError

from switchroom.server.modern.announcements import URI
from tests.support.clients import text_of
from tests.support.processes import environment, run_command, serving

pytestmark = pytest.mark.anyio

TARGET = """
import asyncio
from typing import Annotated
from mcp.server.mcpserver import Context, MCPServer, Resolve
from switchroom.server import SessionResources, session_resources
from switchroom.server.tools import configuration, lifecycle

mcp = MCPServer("breaking")
lifecycle.add_to(mcp)
configuration.add_to(mcp)


@mcp.tool()
async def vanish(kind: str) -> str:
    raise {"exit": SystemExit(3), "interrupt": KeyboardInterrupt(), "crash": ValueError("hunter2")}[kind]


gate = asyncio.Event()


@mcp.tool()
async def count(until: int, ctx: Context) -> str:
    await ctx.report_progress(1, until)
    await gate.wait()
    return "counted"


@mcp.tool()
async def let_go() -> None:
    gate.set()


@mcp.tool()
async def print_at_the_end(resources: Annotated[SessionResources, Resolve(session_resources)]) -> str:
    resources.on_end(lambda: print("not for the wire", flush=True))
    return "will"
"""


async def ignore(progress: float, total: float | None, message: str | None) -> None:
    """A client that asks for reports of progress."""


async def in_flight(api: httpx2.AsyncClient, session_id: str) -> list[dict[str, Any]]:
    """Return the session's calls that are not answered yet."""
    items: list[dict[str, Any]] = (await api.get(f"/sessions/{session_id}/in-flight")).json()["items"]
    return items


@asynccontextmanager
async def reached(folder: Path, transport: str, mode: str) -> AsyncGenerator[tuple[Client, httpx2.AsyncClient]]:
    """Serve the tools above; yield a client of them and one of the JSON API."""
    (folder / "breaking.py").write_text(TARGET)
    info = mcp_types.Implementation(name=f"over-{transport}", version="1.0")
    if transport == "sse":
        with serving(folder, "breaking.py:mcp", "--sse") as served:
            async with (
                served.api() as api,
                Client(sse_client(f"{served.base}/sse"), mode=mode, client_info=info) as client,
            ):
                yield client, api
        return
    arguments = ["-m", "switchroom.dashboard", "serve", "breaking.py:mcp", "--stdio", "--port", "0"]
    parameters = StdioServerParameters(command=sys.executable, args=arguments, cwd=folder, env=environment())
    with (folder / "stderr.txt").open("w+") as log:
        async with Client(stdio_client(parameters, errlog=log), mode=mode, client_info=info) as client:
            base = re.search(r"Console\s+(\S+)/admin", (folder / "stderr.txt").read_text())
            assert base is not None
            token = run_command(folder, "tokens", "create", "--name", "t", "--role", "admin").split()[-1]
            async with httpx2.AsyncClient(
                base_url=f"{base[1]}/api/v1", headers={"Authorization": f"Bearer {token}"}
            ) as api:
                yield client, api


async def the_session(api: httpx2.AsyncClient) -> dict[str, Any]:
    (item,) = (await api.get("/sessions", params={"q": "state:live"})).json()["items"]
    found: dict[str, Any] = item
    return found


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize("transport", ["sse", "stdio"])
async def test_a_tool_that_exits_fails_its_own_call_and_the_session_is_what_its_client_says(
    tmp_path: Path, transport: str, mode: str
) -> None:
    async with reached(tmp_path, transport, mode) as (client, api):
        for kind in ("exit", "interrupt"):
            with pytest.raises(MCPError) as failed:
                await client.call_tool("vanish", {"kind": kind})
            assert (failed.value.error.code, failed.value.error.message) == (-32603, "Internal server error")
        assert text_of(await client.call_tool("vanish", {"kind": "crash"})) == "Error executing tool vanish"
        assert "message #1" in text_of(await client.call_tool("stateful_tool", {"message": "still here"}))
        assert '"mount_path": "/"' in text_of(await client.call_tool("get_server_config"))
        session = await the_session(api)
        version = "2025-11-25" if mode == "legacy" else "2026-07-28"
        assert (session["state"], session["protocol_version"]) == ("initialized", version)
        assert session["client"] == {"name": f"over-{transport}", "version": "1.0"}
        assert mode == "auto" or client.server_capabilities.logging is not None, "operators' messages need it"
        counting = asyncio.create_task(client.call_tool("count", {"until": 2}, progress_callback=ignore))
        async with asyncio.timeout(10):
            while [(c["progress"], c["total"]) for c in await in_flight(api, session["id"])] != [(1, 2)]:
                await asyncio.sleep(0.02)
        streams = (await api.get(f"/sessions/{session['id']}/streams")).json()["items"]
        assert [stream["kind"] for stream in streams] == [transport] and streams[0]["sent"] >= 5
        await client.call_tool("let_go")
        assert text_of(await counting) == "counted"
        await client.call_tool("print_at_the_end")
    printed = tmp_path / "stderr.txt"
    assert not printed.exists() or "not for the wire" in printed.read_text()


@pytest.mark.parametrize("transport", ["sse", "stdio"])
async def test_a_client_of_the_newer_era_is_told_on_its_connection_what_it_listens_to(
    tmp_path: Path, transport: str
) -> None:
    async with reached(tmp_path, transport, "auto") as (client, api):
        session = await the_session(api)

        async def receipt(text: str) -> dict[str, Any]:
            sent = (await api.post("/broadcasts", json={"text": text})).json()
            async with asyncio.timeout(10):
                while (told := (await api.get(f"/broadcasts/{sent['id']}")).json())["pending"]:
                    await asyncio.sleep(0.02)
            (only,) = told["receipts"]
            found: dict[str, Any] = only
            return found

        unheard = await receipt("nobody listens")
        assert (unheard["session_id"], unheard["status"]) == (session["id"], "not_listening")
        async with client.listen(resource_subscriptions=[URI]) as heard:
            assert (await receipt("back at noon"))["status"] == "delivered"
            async with asyncio.timeout(10):
                assert URI in str(await anext(aiter(heard)))
        assert "back at noon" in str(await client.read_resource(URI))
        events = (await api.get(f"/sessions/{session['id']}/events", params={"kind": "notification"})).json()["items"]
        updates = [each for each in events if each["method"] == "notifications/resources/updated"]
        assert len(updates) == 1, events
        refused = await api.post(f"/sessions/{session['id']}/replays", json={"after_seq": 0})
        assert (refused.status_code, "2026-07-28 has none" in refused.text) == (409, True)


async def test_a_stop_of_the_server_answers_the_calls_of_http_sse_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "breaking.py").write_text(TARGET)
    with serving(tmp_path, "breaking.py:mcp", "--sse") as served:
        async with served.api() as api, Client(sse_client(f"{served.base}/sse"), mode="legacy") as client:
            call = asyncio.create_task(client.call_tool("count", {"until": 2}))
            session = await the_session(api)
            async with asyncio.timeout(10):
                while not await in_flight(api, session["id"]):
                    await asyncio.sleep(0.02)
            assert await asyncio.to_thread(served.stop) < 3
            with pytest.raises(MCPError, match=r"server stopped|shutting down"):
                await asyncio.wait_for(call, 5)
        assert "ERROR" not in served.text and "Traceback" not in served.text, served.text
    with serving(tmp_path, "breaking.py:mcp", "--sse") as served:
        async with served.api() as api:
            ended = (await api.get(f"/sessions/{session['id']}")).json()
            assert (ended["state"], ended["end_code"]) == ("closed", "shutdown")
