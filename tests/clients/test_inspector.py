"""The MCP Inspector's command line, as people try out a server with it: connect, list, call, read an error."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.packages import find_node, npm_packages
from tests.support.processes import Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.conformance]

HERE = Path(__file__).parent
LAUNCHER = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"


class Said(NamedTuple):
    """What one run of the command printed."""

    code: int
    out: dict[str, Any]
    error: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("inspected"), f"{HERE / 'target.py'}:mcp") as running:
        yield running


@pytest.fixture(scope="module")
def launcher() -> Path:
    return npm_packages(HERE / "inspector") / LAUNCHER


def inspect(served: Served, launcher: Path, *options: str) -> Said:
    command = [*find_node().node, str(launcher), "--cli", served.mcp, "--transport", "http", *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return Said(done.returncode, json.loads(done.stdout or "{}"), done.stderr)


async def test_it_connects_lists_and_calls_and_its_session_is_recorded(served: Served, launcher: Path) -> None:
    listed = inspect(served, launcher, "--method", "tools/list")
    assert {tool["name"] for tool in listed.out["tools"]} == {"echo", "gated", "pause", "refuse", "steps"}
    called = inspect(served, launcher, "--method", "tools/call", "--tool-name", "echo", "--tool-arg", "text=grüße")
    assert (called.code, called.out["content"][0]["text"], called.out["isError"]) == (0, "grüße", False)
    async with served.api("viewer") as api:
        found = (await api.get("/sessions", params={"q": "client:*inspector*"})).json()["items"]
        clients = (await api.get("/clients")).json()["items"]
    recorded = [item for item in (*found, *clients) if "inspector" in (item["client"]["name"] or "")]
    assert sum(item["request_count"] for item in recorded) >= 3
    assert not [item for item in recorded if item["error_count"]]


def test_it_shows_what_a_server_refuses(served: Served, launcher: Path) -> None:
    refused = inspect(served, launcher, "--method", "tools/call", "--tool-name", "refuse")
    assert refused.code != 0 and "refused on purpose" in refused.error
