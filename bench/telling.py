"""Broadcasts: how soon the last client has one, and what other calls feel meanwhile."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx2

from bench.contestants import BARE, OURS, ROOT, serving, viewer_token
from bench.section import Ratio, Section, Table, at_most
from bench.wire import Connection, Session

CONNECTIONS = 8
QUIET_SECONDS = 1.0
REST_SECONDS = 2.0
"""After a broadcast, until what waits in the logs of sessions without a stream is written too."""
CALLS_BYTES = 64 * 1024 * 1024

METHOD = """\
Sessions are opened, some of them with a GET stream held open, and a message is broadcast to all: through the JSON API
here; in the bare SDK by a tool that sends to each session that joined, one after the other, as the session-management
guide does (sessions without a stream cannot be reached there). The last delivery is when the last held stream has the
message; figures are medians. Meanwhile one more client, in a process of its own, calls `echo` in
a closed loop; its p95 is compared with the second before, broadcast by broadcast."""


class Outcome(NamedTuple):
    """One broadcast."""

    last_delivery: float
    """Seconds from asking for it."""
    quiet_p95: float
    """Milliseconds of a call before it."""
    busy_p95: float
    """The same while it is sent."""


def measure(folder: Path, rounds: int, sessions: int, streams: int) -> Section:
    """Measure some broadcasts on each side."""
    with serving(OURS, folder) as server:
        ours = asyncio.run(_measure(server.port, rounds, sessions, streams, viewer_token(server, "operator")))
    with serving(BARE, folder) as server:
        bare = asyncio.run(_measure(server.port, rounds, streams, streams, None))
    print(f"broadcast: {ours}, bare {bare}", file=sys.stderr)
    last = median(each.last_delivery for each in ours)
    growth = Ratio.of([each.busy_p95 for each in ours], [each.quiet_p95 for each in ours])
    claims = [
        at_most(f"last delivery of a broadcast to {sessions:,} sessions", last, 1, "s"),
        growth.at_most("p95 of a concurrent call, while it is sent", 2),
    ]
    rows = [
        ("Switchroom", f"{sessions:,}", f"{streams:,}", *_figures(ours)),
        ("loop over the bare SDK's sessions", f"{streams:,}", f"{streams:,}", *_figures(bare)),
    ]
    head = ("", "sessions", "streams held", "last delivery, s", "call p95 before, ms", "call p95 meanwhile, ms")
    return Section("broadcast", "Broadcast", claims, [Table("", head, rows)], METHOD, [f"{rounds} broadcasts"])


def _figures(outcomes: list[Outcome]) -> tuple[str, ...]:
    return tuple(f"{median(figures):.2f}" for figures in zip(*outcomes, strict=True))


async def _measure(port: int, rounds: int, sessions: int, streams: int, token: str | None) -> list[Outcome]:
    held = await _open(port, sessions, streams, joins=token is None)
    command = [sys.executable, "-m", "bench.calling", str(port)]
    pipe = asyncio.subprocess.PIPE
    caller = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe, limit=CALLS_BYTES)
    assert caller.stdout is not None
    await caller.stdout.readline()
    told = [await _tell(port, held, f"announcement {number}", token) for number in range(rounds)]
    printed, _ = await caller.communicate(b"")
    calls: list[tuple[float, float]] = json.loads(printed)
    for connection in held:
        await connection.close()
    return [_outcome(asked, last, calls) for asked, last in told]


async def _tell(port: int, held: list[Connection], text: str, token: str | None) -> tuple[float, float]:
    """Send one broadcast after a second of quiet; when it was asked for, and the seconds to its last delivery."""
    await asyncio.sleep(REST_SECONDS + QUIET_SECONDS)
    asked = time.time()
    heard = asyncio.create_task(_all_heard(held, text, time.perf_counter()))
    await _ask(port, text, token)
    return asked, max(await heard)


def _outcome(asked: float, last: float, calls: list[tuple[float, float]]) -> Outcome:
    quiet = [seconds for at, seconds in calls if asked - QUIET_SECONDS < at and at + seconds < asked]
    busy = [seconds for at, seconds in calls if at + seconds >= asked and at < asked + last]
    return Outcome(last, _p95(quiet), _p95(busy))


async def _open(port: int, sessions: int, streams: int, *, joins: bool) -> list[Connection]:
    held: list[Connection] = []

    async def some(count: int, with_stream: int) -> None:
        connection = await Connection.open(port)
        for number in range(count):
            session = await Session.open(connection)
            if number < with_stream:
                held.append(await session.hold_stream(await Connection.open(port)))
            if joins:
                await session.tool("join")
        await connection.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONNECTIONS):
            tasks.create_task(some(sessions // CONNECTIONS, streams // CONNECTIONS))
    return held


async def _all_heard(held: list[Connection], text: str, started: float) -> list[float]:
    async def one(connection: Connection) -> float:
        while text.encode() not in await connection.next_event():
            pass
        return time.perf_counter() - started

    return list(await asyncio.gather(*(one(connection) for connection in held)))


async def _ask(port: int, text: str, token: str | None) -> None:
    if token is None:
        teller = await Session.open(await Connection.open(port))
        await teller.tool("tell", text=text)
        return
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
        body = {"text": text, "level": "info"}
        (await client.post("/api/v1/broadcasts", json=body)).raise_for_status()


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)] * 1000
