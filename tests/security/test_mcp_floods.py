"""Floods. The flooder is told 429 or 503, when to come back and why; an honest client is answered within a second."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.security.conftest import TARGET, assert_alive
from tests.security.flooder import Flood, Refusal, flood, flooding, initializes, modern_calls
from tests.security.neighbours import http_from, modern_body, modern_call, modern_headers, opened_from, wire_from
from tests.security.tally import Tally
from tests.security.tokens import signed_token
from tests.support.processes import Served, serving
from tests.support.wire import Wire, client, initialize_message, session, text_of

pytestmark = pytest.mark.anyio

FLOODER, OTHER = "127.0.0.2", "127.0.0.3"


@asynccontextmanager
async def attacked(folder: Path, target: str = "plain", **settings: object) -> AsyncGenerator[Served]:
    """Run a server with small limits, and look at it once more after the attack."""
    with serving(folder, f"{TARGET}:{target}", **settings) as served:
        yield served
        assert_alive(served)


async def honest_seconds(served: Served, token: str | None = None, during: Flood | None = None) -> float:
    """Return the longest wait of a client that handshakes and calls a tool five times, or until the flood ends."""
    longest = 0.0
    async with client(served.mcp, token=token) as wire:
        for step in range(50):
            if step > 5 and (during is None or during.is_over):
                break
            started = time.monotonic()
            if step == 0:
                await wire.initialize(name="honest")
            else:
                assert text_of((await wire.call("echo", text="hi")).last) == "hi"
            longest = max(longest, time.monotonic() - started)
    return longest


def check_refusals(tally: Tally, answers: list[Refusal], *, expected: int) -> None:
    """Count the answers: at most `expected` were served, all others refused with a time and a reason."""
    refused = [each for each in answers if each.status in (429, 503)]
    tally.refuse(len(refused))
    tally.serve(len(answers) - len(refused))
    assert len(answers) - len(refused) == expected
    tally.judge(str(each) for each in refused if not each.retry_after.isdigit() or len(each.text) < 20)


async def test_a_flood_of_initialize_is_held_to_so_many_a_minute(tmp_path: Path, tally: Tally) -> None:
    async with attacked(tmp_path, max_opened_per_minute=20) as served:
        async with flooding(served.mcp, FLOODER, initializes(400)) as under_way:
            assert await honest_seconds(served, during=under_way) < 1
            check_refusals(tally, await under_way.answers(), expected=20)
        async with served.api() as api:
            assert (await api.get("/sessions", params={"q": "state:live"})).json()["total"] == 21


async def test_failing_handshakes_leave_no_session_and_take_nobodys_place(tmp_path: Path, tally: Tally) -> None:
    async with attacked(tmp_path, max_sessions=5, rejected_seconds=1) as served, http_from(FLOODER) as http:
        broken = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": 7}}
        headers = Wire(served.mcp, http).headers()
        for _ in range(60):
            answers = await asyncio.gather(*(http.post(served.mcp, json=broken, headers=headers) for _ in range(5)))
            assert all("error" in each.text and "mcp-session-id" not in each.headers for each in answers)
            tally.refuse(len(answers))
        assert await honest_seconds(served) < 1
        async with served.api() as api:
            assert (await api.get("/sessions", params={"q": "state:live"})).json()["total"] == 1


async def test_one_address_holds_so_many_sessions_and_no_more(tmp_path: Path, tally: Tally) -> None:
    async with attacked(tmp_path, max_sessions_per_address=10) as served:
        check_refusals(tally, await flood(served.mcp, FLOODER, initializes(30)), expected=10)
        assert await honest_seconds(served) < 1


async def test_one_principal_holds_so_many_sessions_wherever_it_comes_from(tmp_path: Path) -> None:
    async with attacked(tmp_path, "guarded", max_sessions_per_principal=4) as served:
        token = signed_token("mallory")
        addresses = [FLOODER, OTHER] * 4
        statuses = [await opened_from(served.mcp, address, token=token) for address in addresses]
        assert statuses == [200] * 4 + [429] * 4
        assert await honest_seconds(served, signed_token("ann")) < 1


async def test_the_server_holds_so_many_sessions_in_all_and_serves_those_it_has(tmp_path: Path, tally: Tally) -> None:
    async with attacked(tmp_path, max_sessions=10) as served, http_from(FLOODER) as http:
        async with session(served.mcp) as wire:
            check_refusals(tally, await flood(served.mcp, FLOODER, initializes(30)), expected=9)
            assert text_of((await wire.call("echo", text="still served")).last) == "still served"
            assert (await modern_call(http, served.mcp, "echo", text="no session needed")).status_code == 200


@pytest.mark.parametrize("era", ["handshake", "modern"])
async def test_one_address_sends_so_many_requests_a_minute(tmp_path: Path, tally: Tally, era: str) -> None:
    shots = initializes(200) if era == "handshake" else modern_calls(200, "echo", text="x")
    async with attacked(tmp_path, max_requests_per_minute=60) as served:
        async with flooding(served.mcp, FLOODER, shots) as under_way:
            assert await honest_seconds(served, during=under_way) < 1
            answers = await under_way.answers()
        served_anyway = sum(each.status == 200 for each in answers)
        assert 60 <= served_anyway < 80
        check_refusals(tally, answers, expected=served_anyway)


async def test_guessing_tokens_is_held_to_the_same_rate(tmp_path: Path) -> None:
    async with attacked(tmp_path, "guarded", max_requests_per_minute=60) as served:
        async with flooding(served.mcp, FLOODER, initializes(150, token="guess")) as under_way:
            assert await honest_seconds(served, signed_token("ann"), during=under_way) < 1
            statuses = [each.status for each in await under_way.answers()]
        assert set(statuses) == {401, 429} and statuses.count(429) > 60


async def test_one_principal_sends_so_many_requests_wherever_it_comes_from(tmp_path: Path) -> None:
    async with attacked(tmp_path, "guarded", max_requests_per_minute=60) as served:
        token = signed_token("mallory")
        statuses = [await opened_from(served.mcp, f"127.0.1.{number}", token=token) for number in range(1, 90)]
        assert set(statuses) == {200, 429} and statuses.count(200) < 75
        assert await honest_seconds(served, signed_token("ann")) < 1


async def test_a_made_up_forwarded_address_is_no_way_round_a_limit(tmp_path: Path) -> None:
    async with attacked(tmp_path, max_opened_per_minute=5) as served, wire_from(served.mcp, FLOODER) as wire:
        statuses = [
            (await wire.post(initialize_message(), headers={"x-forwarded-for": f"10.0.0.{number}"})).status
            for number in range(20)
        ]
        assert statuses == [200] * 5 + [429] * 15


async def test_the_addresses_that_a_named_proxy_reports_are_counted_apart(tmp_path: Path) -> None:
    async with attacked(tmp_path, max_opened_per_minute=2, trusted_proxies=FLOODER) as served:
        async with wire_from(served.mcp, FLOODER) as proxy:
            forwarded = [f"10.0.0.{number}" for number in (1, 1, 1, 2, 2, 2)]
            # What a client writes itself stands before what the proxy adds.
            chains = [f"192.0.2.9, {each}" for each in forwarded]
            statuses = [
                (await proxy.post(initialize_message(), headers={"x-forwarded-for": each})).status for each in chains
            ]
            assert statuses == [200, 200, 429] * 2


async def test_unanswered_requests_of_a_session_are_bounded(tmp_path: Path) -> None:
    async with attacked(tmp_path, max_in_flight=3) as served, session(served.mcp) as wire:
        calls = [wire.call("pause", id=number, seconds=1) for number in range(12)]
        statuses = sorted(answer.status for answer in await asyncio.gather(*calls))
        assert statuses == [200] * 3 + [429] * 9
        assert (await wire.call("echo", text="free again")).status == 200


async def test_unanswered_requests_of_the_newer_era_are_bounded_by_address(tmp_path: Path, tally: Tally) -> None:
    async with attacked(tmp_path, max_in_flight_per_address=3) as served, http_from(FLOODER) as http:
        async with flooding(served.mcp, FLOODER, modern_calls(12, "pause", seconds=1)) as under_way:
            assert await honest_seconds(served, during=under_way) < 1
            check_refusals(tally, await under_way.answers(), expected=3)
        assert (await modern_call(http, served.mcp, "echo", text="free again")).status_code == 200


async def test_eleven_hundred_listen_streams_of_one_client(tmp_path: Path, tally: Tally) -> None:
    """As by default: 256 are served, the others told so; another address still gets one."""
    async with attacked(tmp_path) as served:
        lines = [await listen_line(served.port, FLOODER) for _ in range(1_100)]
        statuses = [await status_of(reader) for reader, _ in lines]
        assert (statuses.count(200), statuses.count(429)) == (256, 844)
        tally.serve(256)
        tally.refuse(844)
        reader, writer = await listen_line(served.port, OTHER)
        assert await status_of(reader) == 200
        assert await honest_seconds(served) < 1
        for _, each in [*lines, (reader, writer)]:
            each.transport.abort()


async def listen_line(port: int, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection from an address and ask to listen on it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    body = modern_body("subscriptions/listen", notifications={"toolsListChanged": True})
    headers = {"host": f"127.0.0.1:{port}", **modern_headers("subscriptions/listen"), "content-length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + body)
    return reader, writer


async def status_of(reader: asyncio.StreamReader) -> int:
    async with asyncio.timeout(10):
        return int((await reader.readline()).split()[1])


async def test_connections_of_one_address_are_bounded(tmp_path: Path, tally: Tally) -> None:
    async with attacked(tmp_path, max_connections_per_address=50) as served:
        lines = [await asyncio.open_connection("127.0.0.1", served.port, local_addr=(FLOODER, 0)) for _ in range(80)]
        told = [await asyncio.wait_for(reader.read(), 5) for reader, _ in lines[50:]]
        tally.judge(text.decode() for text in told if b" 503 " not in text or b"retry-after: 5" not in text)
        tally.refuse(len(told))
        assert await honest_seconds(served) < 1
        for _, writer in lines:
            writer.transport.abort()


async def test_connections_in_all_are_bounded_and_freed_again(tmp_path: Path) -> None:
    async with attacked(tmp_path, max_connections=60) as served:
        lines = [await asyncio.open_connection("127.0.0.1", served.port, local_addr=(FLOODER, 0)) for _ in range(60)]
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        assert b" 503 " in await asyncio.wait_for(reader.read(), 5)
        for _, each in [*lines, (reader, writer)]:
            each.transport.abort()
        assert await honest_seconds(served) < 1


async def test_a_session_that_floods_its_log_loses_old_events_and_nothing_else(tmp_path: Path) -> None:
    async with attacked(tmp_path, max_log_bytes=65_536, max_events=200) as served, session(served.mcp) as wire:
        await wire.call("set_session_data", key="kept", value="yes")
        async with served.api() as api, session(served.mcp, name="bystander") as other:
            await other.call("echo", text="to be kept")
            for _ in range(20):
                assert (await wire.call("emit", count=50, size=2_000)).status == 200
            found = (await api.post("/sessions/lookup", json={"mcp_session_id": wire.session_id})).json()
            events = (await api.get(f"/sessions/{found['id']}/events", params={"limit": 200})).json()
            assert events["items"][0]["seq"] > 500
            theirs = (await api.post("/sessions/lookup", json={"mcp_session_id": other.session_id})).json()
            kept = (await api.get(f"/sessions/{theirs['id']}/events")).json()["items"]
            assert kept[0]["seq"] == 1
            keys = (await api.get(f"/sessions/{found['id']}/keys")).json()["items"]
            assert [key["name"] for key in keys] == ["kept"]
            assert len(json.dumps(events)) < 400_000


async def test_a_session_that_floods_its_keys_is_told_and_keeps_what_it_has(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"max_keys": 10, "max_value_bytes": 1_000, "max_total_value_bytes": 5_000}
    async with attacked(tmp_path, **limits) as served, session(served.mcp) as wire:
        answers = [(await wire.call("set_session_data", key=f"k{n}", value="v")).last["result"] for n in range(30)]
        assert [answer.get("isError", False) for answer in answers] == [False] * 10 + [True] * 20
        assert "at most 10 keys" in answers[-1]["content"][0]["text"]
        large = (await wire.call("set_session_data", key="k1", value="x" * 2_000)).last["result"]
        assert large["isError"] and "1,000 bytes" in large["content"][0]["text"]
        assert "k1 = v" in text_of((await wire.call("get_session_data", key="k1")).last)
