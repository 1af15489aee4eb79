"""What `fastmcp.FastMCP` 4 keeps for its clients outlives the process, with nothing for its author to set."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastmcp import FastMCP
from key_value.aio.stores.memory import MemoryStore
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from switchroom.server import SessionStateStore, Settings, attach
from tests.support.clients import connected, text_of
from tests.support.processes import environment, failing_command, serving
from tests.support.wire import session
from tests.support.wire import text_of as wire_text

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

TARGET = """
from fastmcp import Context, FastMCP
from fastmcp.server.sessions import SessionId, SessionProvider, get_session

mcp = FastMCP("counter", providers=[SessionProvider()])

@mcp.tool
async def count(ctx: Context) -> str:
    seen = (await ctx.get_state("seen") or 0) + 1
    await ctx.set_state("seen", seen)
    return str(seen)

@mcp.tool
async def note(session_id: SessionId, text: str = "") -> str:
    kept = await get_session(session_id)
    if text:
        await kept.set("text", text)
    return str(await kept.get("text"))
"""


async def test_its_session_state_survives_a_killed_process(tmp_path: Path) -> None:
    (tmp_path / "target.py").write_text(TARGET)
    with serving(tmp_path, "target.py:mcp") as first:
        async with session(first.mcp, name="counting") as wire, session(first.mcp, name="other") as other:
            assert wire_text((await wire.call("count")).last) == "1"
            assert wire_text((await wire.call("count")).last) == "2"
            assert wire_text((await other.call("count")).last) == "1"
            minted = wire_text((await wire.call("create_session")).last)
            assert wire_text((await wire.call("note", session_id=minted, text="kept")).last) == "kept"
            first.stop(signal.SIGKILL)
            with serving(tmp_path, "target.py:mcp", "--port", str(first.port)) as second:
                assert wire_text((await wire.call("count")).last) == "3"
                assert wire_text((await other.call("count")).last) == "2"
                async with connected(second.mcp, mode="auto", name="newer") as (newer, _):
                    found = await newer.call_tool("note", {"session_id": minted})
                    assert text_of(found) == "kept", "fastmcp's own sessions belong to no connection"
                async with second.api("viewer") as api:
                    items = (await api.get("/sessions", params={"q": "client:counting"})).json()["items"]
                    keys = (await api.get(f"/sessions/{items[0]['id']}/keys")).json()["items"]
                    assert [(key["name"], key["value"]) for key in keys] == [("seen", 3)]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_it_is_served_over_stdio_too_where_the_connection_is_its_session(tmp_path: Path, mode: str) -> None:
    (tmp_path / "target.py").write_text(TARGET)
    arguments = ["-m", "switchroom.dashboard", "serve", "target.py:mcp", "--stdio", "--port", "0"]
    parameters = StdioServerParameters(command=sys.executable, args=arguments, cwd=tmp_path, env=environment())
    with (tmp_path / "stderr.txt").open("w+") as log:
        async with Client(stdio_client(parameters, errlog=log), mode=mode) as client:
            assert [text_of(await client.call_tool("count")) for _ in range(2)] == ["1", "2"]
    assert "Traceback" not in (tmp_path / "stderr.txt").read_text()


def test_over_http_sse_it_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "target.py").write_text(TARGET)
    said = failing_command(tmp_path, "serve", "target.py:mcp", "--sse", "--port", "0")
    assert "HTTP+SSE is served for an attached MCPServer, and this is a FastMCP: leave --sse out." in said


def test_a_store_of_the_authors_own_stays(caplog: pytest.LogCaptureFixture) -> None:
    theirs = MemoryStore()
    mcp = FastMCP("own", session_state_store=theirs)
    attach(mcp, settings=Settings(db="memory:"))
    assert vars(mcp)["_state_storage"] is theirs
    assert caplog.records == []


def test_a_release_that_keeps_its_state_elsewhere_is_warned_about_once(caplog: pytest.LogCaptureFixture) -> None:
    from switchroom.server.foreign import keep_state

    with caplog.at_level(logging.WARNING):
        keep_state(SimpleNamespace())
    assert [record.message for record in caplog.records] == [
        "This release of fastmcp keeps its session state elsewhere: what ctx.set_state stores will not survive a "
        "restart. Pass FastMCP(session_state_store=SessionStateStore()) from switchroom.server."
    ]


async def test_values_of_single_requests_are_bounded() -> None:
    store = SessionStateStore()
    for number in range(10_050):
        await store.put(f"{number}:k", {"value": number})
    assert await store.get("0:k") is None
    assert await store.get("10049:k") == {"value": 10_049}
