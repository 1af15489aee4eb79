"""Twenty times `kill -9` under load: nothing acknowledged is lost, and every session goes on."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx2
import pytest

from tests.support.enduring import Enduring, enduring
from tests.support.processes import run_command, start

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

KILLS = 20
CLIENTS = 8


async def test_nothing_acknowledged_is_lost_in_twenty_kills(tmp_path: Path) -> None:
    served = start(tmp_path, "--port", "0")
    announced: list[str] = []
    api = served.api()
    try:
        async with enduring(served.mcp, CLIENTS) as clients:
            for kill in range(KILLS):
                announced.append(await announce(api, f"before kill {kill}"))
                before = sum(each.acknowledged for each in clients)
                await progress(clients, before + CLIENTS * 5)
                await asyncio.to_thread(served.stop, signal.SIGKILL)
                served = await asyncio.to_thread(start, tmp_path, "--port", str(served.port))
            await progress(clients, sum(each.acknowledged for each in clients) + CLIENTS)
        missing = [line for each in clients for line in await each.what_is_missing(served.mcp, api)]
        assert missing == []
        assert all(each.acknowledged > KILLS for each in clients)
        kept = {item["id"] for item in (await api.get("/broadcasts", params={"limit": 200})).json()["items"]}
        assert set(announced) <= kept
    finally:
        await api.aclose()
        served.stop()
    assert "whole" in run_command(tmp_path, "audit", "verify")


async def announce(api: httpx2.AsyncClient, text: str) -> str:
    answer = await api.post("/broadcasts", json={"text": text})
    assert answer.status_code == 201, answer.text
    sent: str = answer.json()["id"]
    return sent


async def progress(clients: list[Enduring], wanted: int) -> None:
    """Wait until the clients have had that many answers in all."""
    async with asyncio.timeout(30):
        while sum(each.acknowledged for each in clients) < wanted:
            await asyncio.sleep(0.01)
