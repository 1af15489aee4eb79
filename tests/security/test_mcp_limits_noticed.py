"""Limits that are reached. Whoever reaches one is told when to come back, and operators see that it needs attention."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import httpx2
import pytest

from tests.security.conftest import TARGET, assert_alive
from tests.security.neighbours import http_from, modern_call, modern_headers, opened_from, wire_from
from tests.security.older import older
from tests.security.operators import signed_in
from tests.security.tally import Tally
from tests.security.test_mcp_floods import listen_line, status_of
from tests.security.tokens import signed_token
from tests.support.processes import Served, serving
from tests.support.wire import initialize_message, session

pytestmark = pytest.mark.anyio


class Watch:
    """Sees what operators see of a server, over connections that were open before any flood."""

    def __init__(self, api: httpx2.AsyncClient, page: httpx.AsyncClient) -> None:
        self._api = api
        self._page = page

    async def sees(self, limit: str) -> None:
        """The limit was reached: the API's two lists say so, and so does the overview."""
        limits = {each["limit"]: each for each in (await self._api.get("/limits")).json()["items"]}
        reached = limits[limit]
        assert reached["times_reached"] > 0 and reached["last_reached_at"], reached
        concerns = (await self._api.get("/attention")).json()["items"]
        (said,) = [each["text"] for each in concerns if f": {reached['title']}" in each["text"]]
        assert said.startswith("Limit reached ")
        overview = (await self._page.get("/admin/")).text
        assert reached["title"] in overview.partition('id="attention"')[2].partition("</section>")[0]


@asynccontextmanager
async def watched(
    folder: Path, target: str, *arguments: str, **settings: object
) -> AsyncGenerator[tuple[Served, Watch]]:
    with serving(folder, f"{TARGET}:{target}", *arguments, **settings) as served:
        async with served.api("viewer") as api, signed_in(served, "watcher") as page:
            assert "Limit reached" not in (await api.get("/attention")).text
            yield served, Watch(api, page)
        assert_alive(served)


async def test_limits_on_who_comes_in_are_noticed_one_by_one(tmp_path: Path, tally: Tally) -> None:
    settings = {
        "max_sessions": 12,
        "max_sessions_per_address": 3,
        "max_sessions_per_principal": 4,
        "max_opened_per_minute": 6,
        "max_requests_per_minute": 40,
        "max_connections": 60,
        "max_connections_per_address": 20,
    }
    async with watched(tmp_path, "guarded", **settings) as (served, operators):

        async def opens(number: int, principal: int) -> int:
            return await opened_from(served.mcp, f"127.0.2.{number}", token=signed_token(f"p{principal}"))

        assert [await opens(1, number) for number in range(4)] == [200, 200, 200, 429]
        await operators.sees("sessions_per_address")
        assert [await opens(10 + number, 10) for number in range(5)] == [200] * 4 + [429]
        await operators.sees("sessions_per_principal")
        async with wire_from(served.mcp, "127.0.2.20", token=signed_token("p20")) as wire:
            for _ in range(6):
                await wire.initialize(announce=False)
                await wire.delete()
                wire.session_id = None
            assert (await wire.post(initialize_message())).status == 429
        await operators.sees("opened_per_minute")
        assert [await opens(30 + number, 30 + number) for number in range(6)] == [200] * 5 + [429]
        await operators.sees("sessions")
        async with http_from("127.0.2.40") as http:
            statuses = [(await http.post(served.mcp, json=initialize_message())).status_code for _ in range(45)]
        assert set(statuses) == {401, 429}
        await operators.sees("requests_per_minute")
        lines = [await line(served, 50) for _ in range(21)]
        assert b" 503 " in await asyncio.wait_for(lines[-1][0].read(), 5)
        await operators.sees("connections_per_address")
        lines += [await line(served, 51 + number // 20) for number in range(60)]
        assert b" 503 " in await asyncio.wait_for(lines[-1][0].read(), 5)
        await operators.sees("connections")
        for _, writer in lines:
            writer.transport.abort()
        tally.refuse(7)


async def line(served: Served, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", served.port, local_addr=(f"127.0.2.{number}", 0))


async def test_limits_on_what_one_client_does_are_noticed_one_by_one(tmp_path: Path, tally: Tally) -> None:
    settings = {
        "max_in_flight": 1,
        "max_in_flight_per_address": 1,
        "max_streams": 1,
        "max_listen_streams": 1,
        "max_body_bytes": 2_048,
        "max_keys": 1,
    }
    async with watched(tmp_path, "plain", **settings) as (served, operators), session(served.mcp) as wire:
        pausing = [asyncio.create_task(wire.call("pause", id=number, seconds=1)) for number in range(2)]
        assert sorted(answer.status for answer in await asyncio.gather(*pausing)) == [200, 429]
        await operators.sees("in_flight")
        calls = [modern_call(wire.http, served.mcp, "pause", seconds=1) for _ in range(2)]
        assert sorted(answer.status_code for answer in await asyncio.gather(*calls)) == [200, 429]
        await operators.sees("in_flight_per_address")
        stored = [(await wire.call("set_session_data", key=f"k{n}", value="v")).last["result"] for n in range(2)]
        assert stored[1]["isError"]
        await operators.sees("keys")
        async with wire.streaming(wire.call_message("pause", seconds=3)) as answering:
            await answering.next()
        async with wire.listening() as stream:
            await stream.next()
            assert (await wire.refused_get(answering.last_id)).status_code == 429
        await operators.sees("streams")
        held = [await listen_line(served.port, "127.0.0.9") for _ in range(2)]
        assert sorted([await status_of(reader) for reader, _ in held]) == [200, 429]
        await operators.sees("listen_streams")
        assert (await wire.call("echo", text="x" * 3_000)).status == 413
        await operators.sees("body")
        for _, writer in held:
            writer.transport.abort()
        tally.refuse(6)


async def test_the_older_transport_keeps_to_the_same_limits(tmp_path: Path, tally: Tally) -> None:
    settings = {
        "max_sessions_per_address": 2,
        "max_in_flight": 2,
        "max_body_bytes": 2_048,
        "max_requests_per_minute": 30,
    }
    async with watched(tmp_path, "plain", "--sse", **settings) as (served, operators), AsyncExitStack() as stack:
        http = await stack.enter_async_context(http_from("127.0.2.60"))
        first, _ = [await stack.enter_async_context(older(served.base, http)) for _ in range(2)]
        refused = await http.get(f"{served.base}/sse")
        assert refused.status_code == 429 and "2 sessions" in refused.text and int(refused.headers["retry-after"]) > 0
        await operators.sees("sessions_per_address")
        assert (await first.initialize("older")).status_code == 202
        assert [(await first.call(number, "pause", seconds=1)).status_code for number in range(3)] == [202, 202, 429]
        cancelling = {"method": "notifications/cancelled", "params": {"requestId": 0}}
        assert (await first.post({"jsonrpc": "2.0", **cancelling})).status_code == 202
        await operators.sees("in_flight")
        assert (await first.call(9, "echo", text="x" * 3_000)).status_code == 413
        await operators.sees("body")
        flood = [(await http.get(f"{served.base}/sse")).status_code for _ in range(40)]
        assert set(flood) == {429}
        await operators.sees("requests_per_minute")
        headers = modern_headers("tools/call", name="echo")
        assert (await http.post(served.mcp, content=b"{}", headers=headers)).status_code == 429
        tally.refuse(5 + len(flood))
