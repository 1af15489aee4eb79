"""Connections break all the time: what the log holds for a client reaches it exactly once, in order, all the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.processes import Served, serving
from tests.support.random_cuts import RandomCuts, random_cuts
from tests.support.resuming import STANDALONE, Heard, ResumingClient, stored_streams
from tests.support.wire import text_of

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

CLIENTS = 200
CUTTING_SECONDS = 30.0
MEAN_SECONDS = 3.0
"""How long a connection lasts on average."""
MOST_BYTES = 6_000
"""No connection carries more of an answer than this; the least is one byte."""
GRACE_SECONDS = 12.0
SEED = 20_251_125
BROADCASTS = 5

TARGET = '''
import asyncio
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import LoggingMessageNotification, LoggingMessageNotificationParams
from switchroom.server.data import log_message

mcp = MCPServer("chaos", log_level="WARNING")

@mcp.tool()
async def echo(text: str) -> str:
    """Answer at once."""
    return text

@mcp.tool()
async def chat(ctx: Context, text: str, count: int) -> str:
    """Say something again and again on the call's own stream, for a while."""
    for step in range(1, count + 1):
        await ctx.report_progress(step, count)
        await log_message(ctx, "info", f"{text}: {step}" + "." * 200)
        await asyncio.sleep(0.05)
    return text

@mcp.tool()
async def tell(ctx: Context, text: str) -> str:
    """Say something on the standalone stream."""
    params = LoggingMessageNotificationParams(level="info", data=text)
    await ctx.session.send_notification(LoggingMessageNotification(params=params))
    return text
'''


async def test_every_stored_event_reaches_its_client_exactly_once_in_order(tmp_path: Path) -> None:
    (tmp_path / "target.py").write_text(TARGET)
    with serving(tmp_path, "target.py:mcp", limits="off", hibernate_seconds=1, ping_seconds=2) as served:
        async with chaos(served) as (proxy, clients), served.api() as api:
            async with listening(clients):
                await asyncio.gather(cut_for_a_while(proxy), talk_all(clients), broadcast_meanwhile(api))
                await until_all_is_heard(api, clients)
            await prove(api, clients)
            await prove_broadcasts(api)
            assert proxy.cuts > CLIENTS * 5, "too little was cut to prove anything"
            assert sum(client.resumptions for client in clients) > CLIENTS * 5
        assert "ERROR" not in served.text, served.text
        assert "Traceback" not in served.text, served.text


# -- what goes on ------------------------------------------------------------------------------


@asynccontextmanager
async def chaos(served: Served) -> AsyncGenerator[tuple[RandomCuts, list[ResumingClient]]]:
    """Connect every client through the proxy, before anything is cut."""
    async with random_cuts(served.port, seed=SEED, mean_seconds=MEAN_SECONDS, most_bytes=MOST_BYTES) as proxy:
        clients = [ResumingClient(proxy.port, f"chaos-{n}", random.Random(SEED + n)) for n in range(CLIENTS)]
        for start in range(0, CLIENTS, 20):
            await asyncio.gather(*(client.open() for client in clients[start : start + 20]))
        yield proxy, clients


@asynccontextmanager
async def listening(clients: list[ResumingClient]) -> AsyncGenerator[None]:
    """Hold every client's standalone stream open for the time of a block."""
    listeners = [asyncio.create_task(client.listen()) for client in clients]
    try:
        async with asyncio.timeout(GRACE_SECONDS):
            while not all(client.is_listening for client in clients):
                await asyncio.sleep(0.02)
        yield
    finally:
        for listener in listeners:
            listener.cancel()
        ends = await asyncio.gather(*listeners, return_exceptions=True)
        assert [end for end in ends if not isinstance(end, asyncio.CancelledError)] == []


async def cut_for_a_while(proxy: RandomCuts) -> None:
    proxy.is_cutting = True
    await asyncio.sleep(CUTTING_SECONDS)
    proxy.is_cutting = False


async def talk_all(clients: list[ResumingClient]) -> None:
    """Have every client make calls while connections are cut, and then wait for the last answers."""
    loop = asyncio.get_running_loop()
    until = loop.time() + CUTTING_SECONDS

    async def talk(client: ResumingClient, chance: random.Random) -> None:
        for number in range(10_000):
            await asyncio.sleep(chance.uniform(0.5, 4.0))
            if loop.time() >= until:
                return
            tool = chance.choice(("echo", "chat", "chat", "tell"))
            extra = {"count": chance.randint(1, 12)} if tool == "chat" else {}
            text = f"call {number}"
            assert text_of(await client.call(tool, text=text, **extra)) == text

    async with asyncio.timeout(CUTTING_SECONDS + GRACE_SECONDS), asyncio.TaskGroup() as group:
        for number, client in enumerate(clients):
            group.create_task(talk(client, random.Random(-SEED - number)))


async def broadcast_meanwhile(api: httpx2.AsyncClient) -> None:
    for number in range(BROADCASTS):
        await asyncio.sleep(CUTTING_SECONDS / (BROADCASTS + 1))
        sent = await api.post("/broadcasts", json={"text": f"broadcast {number}"})
        assert sent.status_code == 201, sent.text


# -- what is proven ----------------------------------------------------------------------------


async def log_of(api: httpx2.AsyncClient, client: ResumingClient, **query: Any) -> list[dict[str, Any]]:
    """Return a session's whole log."""
    log: list[dict[str, Any]] = []
    after = "0"
    while True:
        answer = await api.get(f"/sessions/{client.session_id}/events", params={"after": after, "limit": 1000, **query})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["dropped"] == 0
        log += page["items"]
        if page["next_cursor"] is None:
            return log
        after = page["next_cursor"]


async def until_all_is_heard(api: httpx2.AsyncClient, clients: list[ResumingClient]) -> None:
    """Give every client the time to come back and hear the end of its standalone stream."""
    async with asyncio.timeout(GRACE_SECONDS):
        for client in clients:
            stored = stored_streams(await log_of(api, client, stream=STANDALONE)).get(STANDALONE, [])
            while client.heard[STANDALONE][-1:] != stored[-1:]:
                await asyncio.sleep(0.02)


async def prove(api: httpx2.AsyncClient, clients: list[ResumingClient]) -> None:
    """Compare every stream of every session, as stored, with what its client heard."""
    for client in clients:
        log = await log_of(api, client)
        assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
        stored = stored_streams(log)
        never_begun = stored.keys() - client.heard.keys()
        for stream in client.heard.keys() | stored.keys() - never_begun:
            assert client.heard[stream] == stored.get(stream, []), f"{client.session_id}, stream {stream}"
        # A call whose connection was cut before its first event left its client no cursor; such a stream reached
        # nobody, and its client called again.
        assert len(never_begun) <= client.unheard
        assert broadcasts_in(client.heard[STANDALONE]) == [f"broadcast {number}" for number in range(BROADCASTS)]
    calls = sum(len(client.heard) for client in clients)
    assert sum(client.unheard for client in clients) < calls / 4, "too many calls left no cursor"


def broadcasts_in(heard: list[Heard]) -> list[str]:
    """Return the texts of the broadcasts among what was heard, in order."""
    texts = (str(told.message["params"]["data"]) for told in heard)
    return [text for text in texts if text.startswith("broadcast")]


async def prove_broadcasts(api: httpx2.AsyncClient) -> None:
    items = (await api.get("/broadcasts")).json()["items"]
    assert len(items) == BROADCASTS
    for item in items:
        assert item["delivered"] == item["audience"] == CLIENTS, item
