"""The console in Firefox: Playwright cannot drive it as Debian ships it, puppeteer-core does, over WebDriver BiDi."""

from __future__ import annotations

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.support.clients import Hearing, connected
from tests.support.packages import find_node, npm_packages
from tests.support.processes import Served

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

HERE = Path(__file__).parent / "firefox"
CLIENT = "seen-from-firefox"
TOUR_SECONDS = 120.0


@asynccontextmanager
async def touring(served: Served) -> AsyncGenerator[Process]:
    """Start the tour in a process of its own, and end it afterwards."""
    firefox = shutil.which("firefox-esr") or shutil.which("firefox")
    assert firefox is not None, "Firefox is missing: make browser installs it"
    script = npm_packages(HERE) / "tour.mjs"  # packages are found from where a script lies
    script.write_bytes((HERE / "tour.mjs").read_bytes())
    command = [*find_node().node, str(script), firefox, served.sign_in_link, CLIENT]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def meanwhile(what: str, client: Client, hearing: Hearing) -> None:
    """Do what the tour asks for."""
    if what == "call":
        await client.call_tool("echo", {"text": "hello"})
    else:
        await hearing.until_logged("doors close at six")


async def told(process: Process, client: Client, hearing: Hearing) -> list[dict[str, Any]]:
    """Return what the tour says until its process ends."""
    assert process.stdout is not None and process.stdin is not None
    said: list[dict[str, Any]] = []
    async for line in process.stdout:
        said.append(json.loads(line))
        if "ask" in said[-1]:
            await meanwhile(said[-1]["ask"], client, hearing)
            process.stdin.write(b"done\n")
    return said


async def test_an_operators_work_is_done_in_firefox_without_a_complaint(served: Served) -> None:
    async with connected(served.mcp, name=CLIENT) as (client, hearing), connected(served.mcp, name="another"):
        async with touring(served) as process:
            async with asyncio.timeout(TOUR_SECONDS):
                said = await told(process, client, hearing)
            assert process.stderr is not None
            complaint = (await process.stderr.read()).decode()
        assert said and said[-1] == {"wrong": []}, f"{said}\n{complaint}"
        with pytest.raises(MCPError, match="seen from Firefox"):
            await client.call_tool("echo", {"text": "hello?"})
