"""`switchroom doctor` beside a real server: every refused id has its reason, long after its session is gone."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from switchroom.server.store import SqliteStore
from tests.support.clients import connected, text_of
from tests.support.processes import COMMAND, Served, environment, failing_command, serving

pytestmark = pytest.mark.anyio

HEADERS = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("serve")
    with serving(folder, "--sse") as running:
        yield running


async def opened(served: Served, name: str) -> str:
    """Open a session over plain HTTP and return its secret."""
    client = {"name": name, "version": "1.0"}
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    async with httpx2.AsyncClient() as http:
        answer = await http.post(served.mcp, json=body, headers=HEADERS)
        secret: str = answer.headers["mcp-session-id"]
        told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await http.post(served.mcp, json=told, headers={**HEADERS, "Mcp-Session-Id": secret})
    return secret


async def pinged(served: Served, secret: str) -> httpx2.Response:
    """Send a request with that session id."""
    async with httpx2.AsyncClient() as http:
        body = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        return await http.post(served.mcp, json=body, headers={**HEADERS, "Mcp-Session-Id": secret})


async def expire(served: Served, secret: str, reason: str) -> None:
    async with served.api() as api:
        session = (await api.post("/sessions/lookup", json={"mcp_session_id": secret})).json()
        answer = await api.post(f"/sessions/{session['id']}/expiration", json={"reason": reason})
        assert answer.status_code in (200, 201), answer.text


async def diagnosis(served: Served, secret: str) -> dict[str, Any]:
    async with served.api("viewer") as api:
        found: dict[str, Any] = (await api.post("/sessions/diagnosis", json={"mcp_session_id": secret})).json()
    return found


def doctor(served: Served, secret: str, *, given: str = "") -> tuple[int, str]:
    """Run the command and return its exit code and what it printed."""
    settings = environment(token=served.token("viewer"))
    done = subprocess.run(
        [*COMMAND, "doctor", secret, "--url", served.base],
        cwd=served.folder, env=settings, input=given, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


async def test_a_live_session_is_in_order(served: Served) -> None:
    secret = await opened(served, "healthy")
    code, sentence = doctor(served, secret)
    assert code == 0
    assert "of healthy 1.0 on" in sentence and "is live" in sentence
    assert secret not in sentence
    assert doctor(served, "-", given=f"{secret}\n") == (0, sentence)


async def test_an_expired_session_names_who_ended_it_and_why_and_counts_refusals(served: Served) -> None:
    secret = await opened(served, "expired")
    await expire(served, secret, "moving to green")
    for _ in range(3):
        assert (await pinged(served, secret)).status_code == 404
    code, sentence = doctor(served, secret)
    assert code == 1
    assert "was expired by operator test-operator at " in sentence
    assert "moving to green" in sentence and "refused 3 times lately, last to 127.0.0.1" in sentence
    found = await diagnosis(served, secret)
    assert (found["verdict"], found["end_code"], found["end_reason"]) == ("ended", "operator", "moving to green")
    assert found["refused"] == 3 and found["ended_at"] is not None


async def test_an_id_nobody_issued_is_unknown_and_listed_among_the_refused(served: Served) -> None:
    secret = "feedfacefeedfacefeedfacefeedface"
    assert (await pinged(served, secret)).json()["error"]["message"] == "Session not found"
    code, sentence = doctor(served, secret)
    assert code == 1
    assert "never issued by this server, or its session ended more than 30 days ago" in sentence
    async with served.api("viewer") as api:
        refused = (await api.get("/refusals")).json()["items"][0]
    assert refused["mcp_session_id_prefix"] == "feedface"
    assert (refused["verdict"], refused["address"], refused["times"]) == ("unknown", "127.0.0.1", 1)


async def refusal_of(served: Served, secret: str) -> dict[str, Any]:
    """Wait until the id is listed among the refused ones: that is done after the client was answered."""
    async with served.api("viewer") as api, asyncio.timeout(5):
        while True:
            for item in (await api.get("/refusals")).json()["items"]:
                if item["mcp_session_id_prefix"] == secret[:8]:
                    found: dict[str, Any] = item
                    return found
            await asyncio.sleep(0.02)


async def until_ended(served: Served, secret: str) -> None:
    """Wait until the end of a session is kept: before that, it is told as ending."""
    async with served.api("viewer") as api, asyncio.timeout(30):
        while (await api.post("/sessions/lookup", json={"mcp_session_id": secret})).json().get(
            "state"
        ) == "initialized":
            await asyncio.sleep(0.02)


async def test_a_refused_handle_is_listed_with_its_reason(served: Served) -> None:
    made_up = "h_" + "x" * 32
    async with connected(served.mcp, mode="auto", name="handled") as (client, _):
        handle = text_of(await client.call_tool("open_session", {}))
        await client.call_tool("close_session", {"session_id": handle})
        await until_ended(served, handle)
        for wrong in (handle, made_up):
            answer = await client.call_tool("set_session_data", {"key": "k", "value": "v", "session_id": wrong})
            assert answer.is_error
    ended, unknown = await refusal_of(served, handle), await refusal_of(served, made_up)
    assert ended["verdict"] == "ended" and "closed by its client" in ended["sentence"]
    assert unknown["verdict"] == "unknown" and "never issued" in unknown["sentence"]
    assert "call open_session again" in unknown["sentence"] and "initialize" not in unknown["sentence"]
    assert "call open_session again" in doctor(served, handle)[1]


async def test_a_refused_address_of_http_sse_is_listed_with_its_reason(served: Served) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    async with httpx2.AsyncClient(base_url=served.base) as http:
        async with http.stream("GET", "/sse") as stream:
            lines = stream.aiter_lines()
            while not (line := await anext(lines)).startswith("data: "):
                pass
            address = line.removeprefix("data: ")
            secret = address.partition("session_id=")[2]
            assert (await http.post(address, json=ping)).status_code == 202
            await expire(served, secret, "moved")
        for asked in (address, "/messages/?session_id=" + "ab" * 16):
            assert (await http.post(asked, json=ping)).status_code == 404
    ended, unknown = await refusal_of(served, secret), await refusal_of(served, "ab" * 16)
    assert ended["verdict"] == "ended" and "moved" in ended["sentence"]
    assert unknown["verdict"] == "unknown" and "must connect again" in unknown["sentence"]


async def test_an_end_is_known_after_the_session_and_its_log_were_dropped(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        secret = await opened(served, "of-yesterday")
        await expire(served, secret, "night shift over")
        served.stop()
    store = SqliteStore(tmp_path / "switchroom.db")
    await store.open()
    await store.sessions.sweep(time.time() + 25 * 3600)
    await store.close()
    with serving(tmp_path) as served:
        told = (await pinged(served, secret)).json()["error"]
        assert "expired by an operator: night shift over" in told["message"]
        assert told["data"]["code"] == "operator"
        code, sentence = doctor(served, secret)
        assert code == 1 and "of of-yesterday 1.0 on" in sentence and "night shift over" in sentence
        async with served.api() as api:
            answer = await api.post("/sessions/lookup", json={"mcp_session_id": secret})
        assert answer.status_code == 404 and "night shift over" in answer.json()["detail"]


def test_what_is_missing_is_said_in_one_sentence(served: Served, tmp_path: Path) -> None:
    without = failing_command(tmp_path, "doctor", "x", "--url", served.base)
    assert "switchroom tokens create" in without
    wrong = failing_command(tmp_path, "doctor", "x", "--url", served.base, token="sw_nothing")
    assert "not valid" in wrong and "switchroom tokens create" in wrong
    away = failing_command(tmp_path, "doctor", "x", "--url", "http://127.0.0.1:9", token="sw_nothing")
    assert "cannot be reached" in away and "--url" in away
    odd = failing_command(tmp_path, "doctor", "x", "--url", "localhost:8000", token="sw_nothing")
    assert "is no address" in odd
    other = failing_command(tmp_path, "doctor", "x", "--url", f"{served.base}/admin", token="sw_nothing")
    assert "check --url" in other
    assert not [text for text in (without, wrong, away, odd, other) if "\n" in text or "Traceback" in text]
