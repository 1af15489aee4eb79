"""How long a broadcast to 10,000 sessions takes, 1,000 of them with open streams, and what it does to other calls.

    python -m bench.broadcast

Starts a server of its own (SQLite, in a temporary folder), opens the sessions through its engine, connects real GET
streams to the first thousand over HTTP, and times one broadcast from the API call on: until the last open stream has
the message, and until every receipt is settled. Meanwhile one more client calls a tool without a pause.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from switchroom.server import Settings, attach
from switchroom.server.attach import Switchroom
from switchroom.server.models import Actor, Role
from switchroom.server.tools import bundled_server

OPERATOR = Actor("bench", Role.OPERATOR)
HEADERS = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2025-11-25",
}


async def post(http: httpx.AsyncClient, url: str, message: dict[str, Any], secret: str = "") -> httpx.Response:
    headers = {**HEADERS, **({"mcp-session-id": secret} if secret else {})}
    return await http.post(url, content=json.dumps(message), headers=headers)


async def open_session(http: httpx.AsyncClient, url: str) -> str:
    """Open a session as a client does and return its id."""
    info = {"name": "bench", "version": "1"}
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}
    answer = await post(http, url, {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
    secret = answer.headers["mcp-session-id"]
    await post(http, url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, secret)
    return secret


async def listen(port: int, secret: str, ready: asyncio.Event, heard: list[float], text: bytes) -> None:
    """Hold one GET stream open and note when the message came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"GET /mcp HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: text/event-stream\r\n"
        f"mcp-session-id: {secret}\r\nmcp-protocol-version: 2025-11-25\r\n\r\n"
    )
    writer.write(head.encode())
    await writer.drain()
    await reader.readuntil(b"\r\n\r\n")
    ready.set()
    seen = b""
    while text not in seen:
        seen = seen[-200:] + await reader.read(65_536)
    heard.append(time.perf_counter())
    writer.close()


async def call_for_ever(http: httpx.AsyncClient, url: str, took: list[float]) -> None:
    """Call a tool again and again and note how long each call took."""
    secret, number = await open_session(http, url), 0
    while True:
        number += 1
        params = {"name": "echo", "arguments": {"text": "hi"}}
        started = time.perf_counter()
        await post(http, url, {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}, secret)
        took.append((time.perf_counter() - started) * 1000)


async def measure(room: Switchroom, port: int, sessions: int, streams: int) -> dict[str, float]:
    """Open everything, broadcast once, and return milliseconds."""
    url, text = f"http://127.0.0.1:{port}/mcp", "measured message"
    limits = httpx.Limits(max_connections=16, max_keepalive_connections=16)
    async with httpx.AsyncClient(timeout=60, limits=limits) as http:
        gate = asyncio.Semaphore(16)

        async def one() -> str:
            async with gate:
                return await open_session(http, url)

        secrets = await asyncio.gather(*(one() for _ in range(sessions)))
        heard: list[float] = []
        ready = [asyncio.Event() for _ in range(streams)]
        listeners = [
            asyncio.create_task(listen(port, secret, event, heard, text.encode()))
            for secret, event in zip(secrets, ready, strict=False)
        ]
        await asyncio.gather(*(event.wait() for event in ready))
        took: list[float] = []
        caller = asyncio.create_task(call_for_ever(http, url, took))
        await asyncio.sleep(2)
        before = sorted(took)
        took.clear()
        started = time.perf_counter()
        sent = await room.operations.broadcast(OPERATOR, text=text)
        await asyncio.gather(*listeners)
        during = sorted(took)
        while (now := await room.directory.broadcast(sent.id)).counts["pending"] or now.status == "sending":
            await asyncio.sleep(0.01)
        settled = time.perf_counter()
        caller.cancel()
        delivered = now.counts["delivered"]
        assert (delivered, now.audience) == (streams, sessions + 1), now.counts
    return {
        "first delivery": (min(heard) - started) * 1000,
        "last delivery": (max(heard) - started) * 1000,
        "all receipts settled": (settled - started) * 1000,
        "other calls before, median": statistics.median(before),
        "other calls meanwhile, median": statistics.median(during),
        "other calls meanwhile, slowest": during[-1],
    }


async def run(sessions: int, streams: int) -> dict[str, float]:
    """Serve a fresh database and measure."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(db=f"sqlite:///{Path(folder)}/bench.db", limits="off")
        room = attach(bundled_server(), settings=settings)
        server = uvicorn.Server(uvicorn.Config(room.app, port=0, log_level="error", ws="none", backlog=4_096))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.05)
        port: int = server.servers[0].sockets[0].getsockname()[1]
        try:
            return await measure(room, port, sessions, streams)
        finally:
            server.should_exit = True
            await serving


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--streams", type=int, default=1_000)
    given = parser.parse_args()
    print(f"{given.sessions:,} sessions, {given.streams:,} open streams; milliseconds from the call on")
    for name, value in asyncio.run(run(given.sessions, given.streams)).items():
        print(f"  {name:32} {value:10.1f}")


if __name__ == "__main__":
    main()
