"""Where a call's time goes: the server's code alone, called in its own process, without sockets or an HTTP parser.

`python -m bench.anatomy WHO ERA CALLS` prints the microseconds of CPU of one `tools/call`; `measure` runs it for all.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp

from bench.contestants import ROOT
from bench.section import Section, Table
from bench.target import mcp
from bench.wire import INITIALIZE, MODERN_META, MODERN_VERSION, PROTOCOL_VERSION

WHO = {
    "bare": "bare SDK",
    "memory": "Switchroom, log in memory",
    "sqlite": "Switchroom, log in SQLite",
}
ERAS = ("handshake", "modern")
BLOCKS = 5

METHOD = f"""\
One `tools/call` after the other, given to the ASGI application in the process that runs it: no sockets, no HTTP parser,
no load, which cost the same on every side. A figure is the CPU time of a call, all threads together: the best of
{BLOCKS} blocks of calls. The second line's difference to the first is what our leg and recording save or
cost, the third line's to the second what the durable log costs.

What that leaves where a goal is near or not met:

- *2026-07-28*: our leg does without the tasks, streams and timers that the SDK starts for every request. What is left
  is the SDK's validation of the request, its arguments and its result, some dozen models a call, and the recording.
- *The median at 1 connection*: a call that is alone pays for its own commit, the difference of the last two lines.
  At 16 connections calls share one.
- *Appends*: up to a few writers the loop commits by itself and beats any thread. With 16 or 256 at once the thread
  does, and an event takes some 5 µs of Python beyond a bare row: its place in its log, the bounds of the log and of
  its streams, and its followers, all under the one lock that Python has.
- *Start*: what remains are the imports, some 280 modules at a millisecond each; none stands out."""

Message = MutableMapping[str, Any]
Headers = list[tuple[bytes, bytes]]


def measure(calls: int) -> Section:
    """Measure every server in both eras."""
    rows = [(title, *(f"{_measured(who, era, calls):,.0f}" for era in ERAS)) for who, title in WHO.items()]
    table = Table("CPU of one call, in microseconds", ("", "handshake era", "2026-07-28"), rows)
    return Section("anatomy", "Where a call's time goes", [], [table], METHOD, [f"{calls:,} calls in a block"])


def _measured(who: str, era: str, calls: int) -> float:
    command = [sys.executable, "-m", "bench.anatomy", who, era, str(calls)]
    environment = {**os.environ, "SWITCHROOM_LIMITS": "off"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, timeout=120)
    return float(done.stdout)


@asynccontextmanager
async def _application(who: str, folder: str) -> AsyncGenerator[ASGIApp]:
    if who == "bare":
        app = mcp.streamable_http_app()
        async with app.router.lifespan_context(app):
            yield app
        return
    # Imported here alone: the bare SDK is measured without it.
    from switchroom.dashboard.app import create_app
    from switchroom.server.settings import Settings

    front, console = create_app(mcp, Settings(db="memory:" if who == "memory" else f"sqlite:///{folder}/bench.db"))
    async with console.running():
        yield front


async def _post(app: ASGIApp, message: Message, extra: Headers) -> list[Message]:
    body = json.dumps(message).encode()
    length = (b"content-length", str(len(body)).encode())
    accepted = b"application/json, text/event-stream"
    plain = [(b"host", b"127.0.0.1:8000"), (b"content-type", b"application/json"), (b"accept", accepted), length]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/mcp",
        "raw_path": b"/mcp",
        "query_string": b"",
        "root_path": "",
        "headers": [*plain, *extra],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop() if incoming else await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def _call(app: ASGIApp, era: str, headers: Headers, number: int) -> None:
    params: Message = {"name": "echo", "arguments": {"text": f"call {number}"}}
    if era == "modern":
        params["_meta"] = MODERN_META
    message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    sent = await _post(app, message, headers)
    if f"call {number}".encode() not in b"".join(part.get("body", b"") for part in sent):
        raise RuntimeError(f"call {number} was answered {sent!r}")


async def _headers(app: ASGIApp, era: str) -> Headers:
    """Open a session where the era has one, and return the headers of its calls."""
    if era == "modern":
        version = (b"mcp-protocol-version", MODERN_VERSION.encode())
        return [version, (b"mcp-method", b"tools/call"), (b"mcp-name", b"echo")]
    opened = await _post(app, INITIALIZE, [])
    session_id: bytes = dict(opened[0]["headers"])[b"mcp-session-id"]
    headers = [(b"mcp-protocol-version", PROTOCOL_VERSION.encode()), (b"mcp-session-id", session_id)]
    await _post(app, {"jsonrpc": "2.0", "method": "notifications/initialized"}, headers)
    return headers


async def _microseconds(who: str, era: str, calls: int) -> float:
    """Return the CPU time of one call."""
    best = float("inf")
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        async with _application(who, folder) as app:
            headers = await _headers(app, era)
            await asyncio.sleep(1.5)  # the console is built meanwhile
            for block in range(BLOCKS + 1):
                started = time.process_time()
                for number in range(calls):
                    await _call(app, era, headers, block * calls + number)
                if block:  # the first one warms up
                    best = min(best, (time.process_time() - started) / calls * 1e6)
    return best


if __name__ == "__main__":
    who, era, calls = sys.argv[1:]
    print(asyncio.run(_microseconds(who, era, int(calls))))
