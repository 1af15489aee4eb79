"""Leaving: calls in flight are answered, streams are ended, nobody is kept waiting."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client

from switchroom.server.modern.announcements import URI
from tests.support.servers import eventually, running
from tests.support.source import ROOT
from tests.support.toolbox import Toolbox
from tests.support.wire import initialize_message, session, text_of

pytestmark = pytest.mark.anyio


async def test_draining_lets_short_calls_finish() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait")) as stream:
            await stream.next()
            draining = asyncio.create_task(site.switchroom.engine.drain())
            await eventually(lambda: site.switchroom.engine.is_stopping)
            box.let_go()
            assert text_of((await stream.rest())[-1]) == "waited"
            await draining


@pytest.mark.parametrize("tool", ["wait", "stubborn", "block"])
async def test_draining_answers_calls_that_do_not_finish(tool: str) -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message(tool, id="s")) as stream:
            await stream.next()
            async with asyncio.timeout(3):
                await asyncio.gather(site.switchroom.engine.drain(), site.switchroom.engine.drain())
            (answer,) = await stream.rest()
            assert (answer["id"], answer["error"]["code"]) == ("s", -32001)
            assert "shutting down" in answer["error"]["message"]
        box.let_go()


async def test_draining_ends_every_open_stream() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        async with wire.listening() as standalone, Client(site.url, mode="2026-07-28") as modern:
            await standalone.next()
            async with modern.listen(resource_subscriptions=[URI]) as updates:
                await eventually(lambda: site.switchroom.directory.health().open_streams == 2)
                await site.switchroom.engine.drain()
                assert await standalone.rest() == []
                with anyio.fail_after(5):
                    assert [update async for update in updates] == []


async def test_a_resumed_calls_stream_gets_its_answer_before_it_is_ended() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id="r")) as stream:
            await stream.next()
        async with wire.listening(stream.last_id) as resumed:
            await resumed.next()
            await site.switchroom.engine.drain()
            assert [message["id"] for message in await resumed.rest()] == ["r"]


async def test_requests_during_shutdown_are_503_with_retry_after() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        await site.switchroom.engine.drain()
        for message in (initialize_message(), wire.request_message("ping")):
            answer = await wire.post(message)
            assert (answer.status, answer.headers["retry-after"]) == (503, "2")
            assert "shutting down" in answer.last["error"]["message"]


async def test_clean_ups_of_sessions_run_at_shutdown() -> None:
    cleaned: list[str] = []
    async with running(Toolbox().mcp) as site, session(site.url):
        site.live().resident.connection.exit_stack.callback(cleaned.append, "cleaned")
    assert cleaned == ["cleaned"]


PROGRAM = """
import sys
import uvicorn
from switchroom.server import Settings, attach
from tests.support.toolbox import Toolbox

switchroom = attach(Toolbox().mcp, settings=Settings(db=sys.argv[1], stream_after_seconds=0.02))
uvicorn.run(switchroom.app, host="127.0.0.1", port=0, log_level="info", timeout_graceful_shutdown=8)
"""


class Child:
    """A server in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output = ""

    async def read_until(self, wanted: str) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            while wanted not in self.output:
                line = await self.process.stdout.readline()
                assert line, f"the server ended: {self.output}"
                self.output += line.decode()
        return self.output

    async def end(self) -> int:
        """Wait for its end and return its exit code."""
        assert self.process.stdout is not None
        self.output += (await self.process.stdout.read()).decode()
        return await self.process.wait()


@asynccontextmanager
async def child(db: str) -> AsyncGenerator[tuple[Child, str]]:
    """Start a headless server; yields it and its MCP URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, db,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    started = Child(process)
    try:
        output = await started.read_until("Uvicorn running on ")
        base = output.partition("Uvicorn running on ")[2].split()[0]
        yield started, f"{base}/mcp"
    finally:
        if process.returncode is None:
            process.kill()
        await started.end()


@pytest.mark.fault
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_server_in_time_with_everything_answered(number: int, tmp_path: Path) -> None:
    async with child(f"sqlite:///{tmp_path}/sessions.db") as (server, url), session(url) as wire:
        async with (
            wire.listening() as standalone,
            wire.streaming(wire.call_message("wait", id="cut short")) as call,
            wire.streaming(wire.call_message("stubborn", id="ignores it")) as stubborn,
            Client(url, mode="2026-07-28") as modern,
            modern.listen(tools_list_changed=True),
        ):
            for stream in (standalone, call, stubborn):
                await stream.next()
            loop = asyncio.get_running_loop()
            began = loop.time()
            server.process.send_signal(number)
            assert [m["error"]["code"] for m in await call.rest()] == [-32001]
            assert [m["error"]["code"] for m in await stubborn.rest()] == [-32001]
            assert await standalone.rest() == []
        async with asyncio.timeout(10):
            await server.end()
        assert "ERROR" not in server.output, server.output
        assert "Traceback" not in server.output, server.output
        assert loop.time() - began < 3


@pytest.mark.fault
async def test_after_a_kill_the_session_goes_on_and_the_lost_call_is_answered(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/sessions.db"
    async with child(db) as (server, url), session(url) as wire:
        async with wire.listening() as standalone:
            await standalone.next()
            await wire.call("tell", text="before")
            await standalone.message()
            async with wire.streaming(wire.call_message("wait", id="lost")) as call:
                await call.next()
                server.process.kill()
                await server.end()
        async with child(db) as (_, again):
            wire.url = again
            async with wire.listening(call.last_id) as resumed:
                (answer,) = await resumed.rest()
                assert (answer["id"], answer["error"]["code"]) == ("lost", -32001)
            async with wire.listening(standalone.last_id) as resumed:
                await resumed.next()
                await wire.call("tell", text="after")
                assert (await resumed.message())["params"]["data"] == "after"
