"""The load, in a process of its own: `python -m bench.load PORT PID KIND CONNECTIONS SECONDS` prints a line of JSON.

Each connection carries one client that calls the tool again as soon as it has its answer (a closed loop).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import psutil

from bench.wire import Caller, Connection, Session, Sessionless

WARM_UP_SECONDS = 0.4
TOKEN = "BENCH_TOKEN"
"""Environment variable: with a viewer's token in it, one console page's live stream is held open meanwhile."""


@dataclass(frozen=True)
class Sample:
    """What one round of load measured."""

    calls_per_second: float
    median_ms: float
    p99_ms: float
    server_cpu_ms: float
    """User and system time of the server process, per call."""
    load_cpu_share: float
    """How much of one core the load itself used; near 1 the load, not the server, is what was measured."""


async def _caller(kind: str, port: int) -> Caller:
    connection = await Connection.open(port)
    return Sessionless(connection) if kind == "modern" else await Session.open(connection, is_json=kind == "json")


async def _call_until(caller: Caller, tool: str, end: float, seconds: list[float]) -> None:
    while time.perf_counter() < end:
        seconds.append(await caller.call(tool))


async def _drive(callers: list[Caller], tool: str, duration: float) -> list[float]:
    seconds: list[float] = []
    end = time.perf_counter() + duration
    async with asyncio.TaskGroup() as tasks:
        for caller in callers:
            tasks.create_task(_call_until(caller, tool, end, seconds))
    return sorted(seconds)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def measure(port: int, pid: int, kind: str, connections: int, duration: float) -> Sample:
    """Drive the server on `port`, whose process is `pid`, for `duration` seconds after a warm-up."""
    callers = [await _caller(kind, port) for _ in range(connections)]
    tool = "chatty" if kind == "chatty" else "echo"
    async with _open_page(port):
        await _drive(callers, tool, WARM_UP_SECONDS)
        server, load = psutil.Process(pid), psutil.Process()
        server_before, load_before, started = _cpu_seconds(server), _cpu_seconds(load), time.perf_counter()
        seconds = await _drive(callers, tool, duration)
        elapsed = time.perf_counter() - started
        return Sample(
            calls_per_second=len(seconds) / elapsed,
            median_ms=seconds[len(seconds) // 2] * 1000,
            p99_ms=seconds[int(len(seconds) * 0.99)] * 1000,
            server_cpu_ms=(_cpu_seconds(server) - server_before) / len(seconds) * 1000,
            load_cpu_share=(_cpu_seconds(load) - load_before) / elapsed,
        )


@asynccontextmanager
async def _open_page(port: int) -> AsyncGenerator[None]:
    """Hold the live stream of the console's sessions page, as a browser would that shows it."""
    token = os.environ.get(TOKEN)
    if token is None:
        yield
        return
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET /admin/live?view=sessions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
    writer.write(f"{head}Authorization: Bearer {token}\r\nSec-Fetch-Site: same-origin\r\n\r\n".encode())
    status = await reader.readline()
    if b" 200 " not in status:
        raise RuntimeError(f"the console's stream was answered {status!r}")

    async def follow() -> None:
        while await reader.read(65_536):
            pass

    following = asyncio.create_task(follow())
    yield
    following.cancel()
    writer.close()


if __name__ == "__main__":
    gc.disable()  # the load must not pause; it lives for seconds
    _, listening, process, what, count, time_limit = sys.argv
    sample = asyncio.run(measure(int(listening), int(process), what, int(count), float(time_limit)))
    print(json.dumps(asdict(sample)))
