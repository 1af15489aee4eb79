"""Clients that go on whatever happens to the server, and what it had acknowledged to them."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
from mcp_types.jsonrpc import INTERNAL_ERROR

from tests.support.wire import Wire, client, text_of

PAUSE_SECONDS = 0.05
PAGE = 1_000


class Enduring:
    """One client in one session: it stores the next number again and again, and remembers what was acknowledged."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.acknowledged = 0
        """The greatest number whose answer arrived."""
        self.answered: list[str] = []
        """Request ids, as JSON text, whose answers arrived."""
        self.retries = 0
        self.cuts = 0
        self.faults: list[str] = []
        """What no client should ever see."""
        self.wire: Wire | None = None
        self._random = random.Random(seed)

    async def run(self, url: str, cut_share: float) -> None:
        """Go on until cancelled; `cut_share` of the calls are given up by cutting the connection."""
        async with client(url) as self.wire:
            await self._open()
            while True:
                await self._store(self.acknowledged + 1, cut_share)

    async def _open(self) -> None:
        assert self.wire is not None
        while self.wire.session_id is None:
            try:
                await self.wire.initialize(name=self.name)
            except (httpx.TransportError, AssertionError, IndexError):
                self.wire.session_id = None
                await asyncio.sleep(PAUSE_SECONDS)

    async def _store(self, number: int, cut_share: float) -> None:
        assert self.wire is not None
        message = self.wire.call_message("set_session_data", key="number", value=str(number))
        limit = self._random.uniform(0.0005, 0.01) if self._random.random() < cut_share else 20.0
        try:
            async with asyncio.timeout(limit):
                answer = await self.wire.post(message)
        except TimeoutError:
            self.cuts += 1
            return
        except httpx.TransportError:
            self.retries += 1
            await asyncio.sleep(PAUSE_SECONDS)
            return
        if answer.status in (429, 503):
            self.retries += 1
            await asyncio.sleep(PAUSE_SECONDS)
        elif answer.status != 200 or not answer.messages:
            self.faults.append(f"{answer.status}: {answer.text[:200]}")
            await asyncio.sleep(PAUSE_SECONDS)
        elif "result" in answer.last and not answer.last["result"].get("isError"):
            self.acknowledged = number
            self.answered.append(json.dumps(message["id"]))
        elif "result" in answer.last:
            self.retries += 1  # the tool says that nothing was stored
            await asyncio.sleep(PAUSE_SECONDS)
        elif answer.last["error"]["code"] not in (-32001, -32800, INTERNAL_ERROR):
            self.faults.append(answer.text[:200])

    async def what_is_missing(self, url: str, api: httpx2.AsyncClient) -> list[str]:
        """Return what was acknowledged and is not there any more; empty when nothing is."""
        assert self.wire is not None
        missing = list(self.faults)
        async with client(url) as fresh:
            fresh.session_id, fresh.version = self.wire.session_id, self.wire.version
            answer = await fresh.call("get_session_data", id="after", key="number")
            text = text_of(answer.last) if answer.status == 200 else answer.text
            stored = int(text.split(" = ")[1].split()[0]) if " = " in text else 0
            if stored < self.acknowledged:
                missing.append(f"{self.name}: stored {self.acknowledged}, found {text!r}")
        return missing + await self._missing_events(api)

    async def _missing_events(self, api: httpx2.AsyncClient) -> list[str]:
        found = (await api.get("/sessions", params={"q": f"client:{self.name}"})).json()["items"]
        if len(found) != 1:
            return [f"{self.name}: {len(found)} sessions"]
        seqs: list[int] = []
        answered: set[str] = set()
        async for event in events(api, found[0]["id"]):
            seqs.append(event["seq"])
            if event["kind"] == "response":
                answered.add(json.dumps(event["request_id"]))
        gaps = [f"{self.name}: no event {b - 1}" for a, b in itertools.pairwise(seqs) if b != a + 1]
        if seqs and seqs[0] > 1:
            return gaps  # retention has dropped the oldest
        return gaps + [f"{self.name}: no answer to {key}" for key in self.answered if key not in answered]


async def events(api: httpx2.AsyncClient, session_id: str) -> AsyncGenerator[dict[str, Any]]:
    """Return a session's events, oldest first."""
    after = 0
    while True:
        query = {"after": after, "limit": PAGE}
        page = (await api.get(f"/sessions/{session_id}/events", params=query)).json()["items"]
        for event in page:
            yield event
            after = event["seq"]
        if len(page) < PAGE:
            return


@asynccontextmanager
async def enduring(url: str, count: int, *, cut_share: float = 0.02) -> AsyncGenerator[list[Enduring]]:
    """Run `count` clients for the time of a block."""
    clients = [Enduring(f"enduring-{number}", seed=number) for number in range(count)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.run(url, cut_share)) for each in clients]
        yield clients
        for task in tasks:
            task.cancel()
