"""Other people's clients against `switchroom serve`, with their own habits and through a network that breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from switchroom.server.modern.announcements import URI
from tests.clients.cutting import CuttingProxy, cutting_proxy
from tests.clients.driving import KINDS, WAIT_SECONDS, ClientError, Kind, driven
from tests.support.processes import Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.conformance]

HERE = Path(__file__).parent
RETRY_SECONDS = 0.3
TOOLS = {"echo", "gated", "pause", "refuse", "steps"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    target = f"{HERE / 'target.py'}:mcp"
    with serving(tmp_path_factory.mktemp("clients"), target, retry_ms=int(RETRY_SECONDS * 1000)) as running:
        yield running
        assert "Traceback" not in running.text, running.text


@pytest.fixture(scope="module")
def token(served: Served) -> str:
    return served.token()


@pytest.fixture
async def api(served: Served, token: str) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=f"{served.base}/api/v1", headers=headers, timeout=10) as client:
        yield client


@pytest.fixture
async def proxy(served: Served) -> AsyncIterator[CuttingProxy]:
    async with cutting_proxy(served.port) as running:
        yield running


class Chosen(NamedTuple):
    """The client of one test."""

    kind: Kind
    command: list[str]
    name: str


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def chosen(request: pytest.FixtureRequest) -> Chosen:
    kind: Kind = request.param
    return Chosen(kind, kind.command(), f"{kind.name} {request.node.originalname}")


async def the_session(api: httpx2.AsyncClient, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = (await api.get("/sessions", params={"q": f'client:"{name}"'})).json()["items"]
    assert len(found) == 1, found
    return found[0]


async def until_streams(api: httpx2.AsyncClient, name: str, count: int) -> dict[str, Any]:
    """Wait until the client holds so many streams open: another process knows, so it is asked."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            session = await the_session(api, name)
            if session["open_streams"] == count:
                return session
            await asyncio.sleep(0.02)


async def broadcast(api: httpx2.AsyncClient, text: str, session: dict[str, Any]) -> None:
    body = {"text": text, "level": "info", "filter": f"id:{session['id']}"}
    answer = await api.post("/broadcasts", json=body)
    assert answer.status_code == 201, answer.text


async def test_it_lists_calls_and_hears(served: Served, api: httpx2.AsyncClient, chosen: Chosen) -> None:
    async with driven(chosen.command, served.mcp, chosen.name) as client:
        assert client.all("ready") == [{"server": "target", "protocol": "2025-11-25"}]
        assert set(await client.ask("list")) == TOOLS
        assert await client.call("echo", text="grüße 🛰") == "grüße 🛰"
        assert await client.call("steps", count=3) == "3 steps"
        assert client.all("progress") == [1, 2, 3]
        assert client.all("log") == ["step 1", "step 2", "step 3"]
        session = await until_streams(api, chosen.name, 1)
        await broadcast(api, "to everybody", session)
        await client.until("log", "to everybody")
        assert client.all("trouble") == []
    assert (await the_session(api, chosen.name))["state"] == "closed"


async def test_an_error_is_an_answer(served: Served, chosen: Chosen) -> None:
    """TypeScript 1 comes back for more after an error answer: it must find that there is none, without an error."""
    async with driven(chosen.command, served.mcp, chosen.name) as client:
        with pytest.raises(ClientError, match="refused on purpose"):
            await client.call("refuse")
        assert await client.call("pause", seconds=4 * RETRY_SECONDS) == "rested"
        assert client.all("trouble") == []


async def test_its_call_goes_on_when_the_connection_was_cut(
    api: httpx2.AsyncClient, proxy: CuttingProxy, chosen: Chosen, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    async with driven(chosen.command, proxy.url, chosen.name) as client:
        await until_streams(api, chosen.name, 1)
        call = client.start_call("gated", gate=str(gate))
        await client.until("log", "begun")
        proxy.cut()
        await until_streams(api, chosen.name, 0)
        gate.touch()
        proxy.release()
        async with asyncio.timeout(WAIT_SECONDS):
            assert await call == "through the gate"
        assert client.all("log") == ["begun", "going on"]
        assert await client.call("echo", text="still here") == "still here"


async def test_its_standalone_stream_goes_on_when_the_connection_was_cut(
    api: httpx2.AsyncClient, proxy: CuttingProxy, chosen: Chosen
) -> None:
    async with driven(chosen.command, proxy.url, chosen.name) as client:
        session = await until_streams(api, chosen.name, 1)
        await broadcast(api, "one", session)
        await client.until("log", "one")
        expected = ["one"]
        for cut in range(chosen.kind.cuts):
            proxy.cut()
            await until_streams(api, chosen.name, 0)
            for text in (f"away {cut}", f"still away {cut}"):
                await broadcast(api, text, session)
                expected.append(text)
            proxy.release()
            await client.until("log", expected[-1])
        await broadcast(api, "last", session)
        await client.until("log", "last")
        assert client.all("log") == [*expected, "last"]
        assert await client.call("echo", text="still here") == "still here"


async def test_it_is_told_why_its_session_ended(
    served: Served, api: httpx2.AsyncClient, chosen: Chosen, tmp_path: Path
) -> None:
    async with driven(chosen.command, served.mcp, chosen.name) as client:
        session = await until_streams(api, chosen.name, 1)
        call = client.start_call("gated", gate=str(tmp_path / "never"))
        await client.until("log", "begun")
        answer = await api.post(f"/sessions/{session['id']}/expiration", json={"reason": "moving to green"})
        assert answer.status_code in (200, 201), answer.text
        async with asyncio.timeout(WAIT_SECONDS):
            with pytest.raises(ClientError, match="moving to green"):
                await call
        expected = "moving to green" if chosen.kind.explains_404 else "Session terminated"
        with pytest.raises(ClientError, match=expected):
            await client.call("echo", text="anybody there?")


MODERN = [kind for kind in KINDS if kind.name in ("python-2.3", "typescript-2", "fastmcp-4")]


@pytest.mark.parametrize("kind", MODERN, ids=lambda kind: kind.name)
async def test_it_speaks_the_newer_era(served: Served, kind: Kind) -> None:
    async with driven(kind.command(), served.mcp, f"{kind.name} modern", "modern") as client:
        assert client.all("ready") == [{"server": "target", "protocol": "2026-07-28"}]
        assert set(await client.ask("list")) == TOOLS
        assert await client.call("steps", count=3) == "3 steps"
        assert client.all("progress") == [1, 2, 3]
        with pytest.raises(ClientError, match="refused on purpose"):
            await client.call("refuse")
        assert client.all("trouble") == []


@pytest.mark.parametrize("kind", [kind for kind in MODERN if kind.name != "fastmcp-4"], ids=lambda kind: kind.name)
async def test_a_listener_of_the_newer_era_hears_of_announcements(
    served: Served, api: httpx2.AsyncClient, kind: Kind
) -> None:
    async with driven(kind.command(), served.mcp, f"{kind.name} listener", "modern") as client:
        assert await client.ask("listen", uri=URI) == URI
        answer = await api.post("/broadcasts", json={"text": "to listeners", "level": "info"})
        assert answer.status_code == 201, answer.text
        assert await client.until("updated") == URI
