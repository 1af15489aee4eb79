"""Sessions outlive the process, whether it is killed or asked to stop."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from tests.support.clients import connected, text_of
from tests.support.modern import LOG_LEVEL, calling
from tests.support.processes import Served, serving
from tests.support.raw import raw_connection
from tests.support.wire import Wire, session

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

BOTH_ENDS = pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])

TARGET = '''
import asyncio
import json
from pathlib import Path
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import LoggingMessageNotification, LoggingMessageNotificationParams
from switchroom.server.data import log_message

mcp = MCPServer("surviving", log_level="WARNING")

@mcp.tool()
async def tell(ctx: Context, text: str) -> str:
    """Say something on the standalone stream."""
    params = LoggingMessageNotificationParams(level="info", data=text)
    await ctx.session.send_notification(LoggingMessageNotification(params=params))
    return text

@mcp.tool()
async def flood(ctx: Context) -> str:
    """Say more than any buffer holds."""
    for _ in range(1_000):
        await log_message(ctx, "info", "x" * 100_000)
    return "all of it"

@mcp.tool()
async def begin(ctx: Context) -> str:
    """Say that it has begun, and never end by itself."""
    await log_message(ctx, "info", "begun")
    await asyncio.Event().wait()
    return "never"

async def witness(ctx, call_next):
    asked = ctx.request.headers.get("mcp-session-id")
    with Path("seen.txt").open("a") as seen:
        seen.write(json.dumps([ctx.method, asked]) + chr(10))
    return await call_next(ctx)

mcp.middleware.append(witness)
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a server whose middleware writes down what it sees."""
    (tmp_path / "target.py").write_text(TARGET)
    return tmp_path


@BOTH_ENDS
async def test_streams_calls_and_middleware_after_a_restart(how: signal.Signals, folder: Path) -> None:
    """A client that resumes misses nothing, hears nothing twice, and is one session throughout."""
    with serving(folder, "target.py:mcp") as first:
        async with session(first.mcp, name="resuming") as wire:
            async with wire.listening() as standalone, wire.streaming(wire.call_message("begin", id="lost")) as call:
                await standalone.next()
                await wire.call("tell", text="one")
                assert (await standalone.message())["params"]["data"] == "one"
                assert (await call.message())["params"]["data"] == "begun"
                await asyncio.to_thread(first.stop, how)
            before = wire.session_id
            with serving(folder, "target.py:mcp", "--port", str(first.port)) as second:
                async with second.api() as api:
                    for text in ("while away 1", "while away 2"):
                        assert (await api.post("/broadcasts", json={"text": text})).status_code == 201
                    await prove_the_rest(wire, standalone.last_id, call.last_id, how)
                assert wire.session_id == before
    seen = [json.loads(line) for line in (folder / "seen.txt").read_text().splitlines()]
    assert [line for line in seen if line[0] == "initialize"] == [["initialize", None]]
    assert {asked for method, asked in seen if method != "initialize"} == {before}


async def prove_the_rest(wire: Wire, standalone_id: str, call_id: str, how: signal.Signals) -> None:
    """Resume both streams after a restart and hear exactly what was missed."""
    cause = "server restarted" if how is signal.SIGKILL else "shutting down"
    async with wire.listening(call_id) as resumed:
        (answer,) = await resumed.rest()
        assert (answer["id"], answer["error"]["code"]) == ("lost", -32001)
        assert cause in answer["error"]["message"]
    async with wire.listening(standalone_id) as resumed:
        await resumed.next()
        await wire.call("tell", text="two")
        heard = [await resumed.message() for _ in range(3)]
        assert [told["params"]["data"] for told in heard] == ["while away 1", "while away 2", "two"]
        again = resumed.last_id
    async with wire.listening(again) as resumed:
        await resumed.next()
        await wire.call("tell", text="three")
        assert (await resumed.message())["params"]["data"] == "three"


async def test_a_stop_signal_ends_the_streams_of_both_eras_and_of_the_console(folder: Path) -> None:
    with serving(folder, "target.py:mcp") as served:
        async with (
            session(served.mcp) as wire,
            wire.listening() as standalone,
            connected(served.mcp, mode="2026-07-28", name="modern") as (modern, _),
            modern.listen(tools_list_changed=True),
            console_stream(served) as changes,
        ):
            await standalone.next()
            assert await anext(changes) == "changes"
            seconds = await asyncio.to_thread(served.stop)
            assert seconds < 3
            assert await standalone.rest() == []
        assert "ERROR" not in served.text, served.text
        assert "Traceback" not in served.text, served.text


async def test_a_stop_signal_ends_twenty_pages_streams_at_once_and_without_an_error(tmp_path: Path) -> None:
    with serving(tmp_path, admin_password="a good long password") as served:
        headers = {"Origin": served.base}
        async with httpx2.AsyncClient(base_url=f"{served.base}/admin", headers=headers, timeout=10) as http:
            form = {"operator": "admin", "password": "a good long password"}
            assert (await http.post("/login", data=form)).status_code == 303
            async with AsyncExitStack() as stack:
                for view in ("overview", "sessions") * 10:
                    opened = http.stream("GET", "/live", params={"view": view, "after": "none.0"})
                    lines = (await stack.enter_async_context(opened)).aiter_lines()
                    assert await anext(lines) == "event: resync"
                assert await asyncio.to_thread(served.stop) < 3
        assert "ERROR" not in served.text and "Traceback" not in served.text, served.text


@asynccontextmanager
async def console_stream(served: Served) -> AsyncGenerator[AsyncGenerator[str]]:
    """Follow the console's changes; yields the names of its frames."""
    async with served.api("viewer") as api, api.stream("GET", "/live") as response:
        assert response.status_code == 200

        async def names() -> AsyncGenerator[str]:
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    yield line.removeprefix("event: ")

        yield names()


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


@pytest.mark.parametrize("era", ["handshake", "modern"])
async def test_a_stop_signal_waits_for_no_client_that_reads_nothing(era: str, folder: Path) -> None:
    with serving(folder, "target.py:mcp") as served:
        async with session(served.mcp) as wire, raw_connection(served.mcp) as unread:
            body, routed = calling("flood", {}, **{LOG_LEVEL: "info"})
            if era == "handshake":
                body, routed = wire.call_message("flood"), {}
            named = {name: value for name, value in routed.items() if value is not None}
            await unread.send_request(wire, "POST", json.dumps(body).encode(), headers=named)
            async with served.api() as api, asyncio.timeout(10):
                while not (await api.get("/in-flight")).json()["total"]:
                    await asyncio.sleep(0.02)
            assert await asyncio.to_thread(served.stop) < 3
        assert '"ERROR"' not in served.text and "Traceback" not in served.text, served.text


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
