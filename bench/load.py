"""The load, in a process of its own: `python -m bench.load PORT PID CONNECTIONS SECONDS` prints one line of JSON.

Each connection carries one session that calls the tool again as soon as it has its answer (a closed loop).
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from dataclasses import asdict, dataclass

import psutil

from bench.wire import Connection, Session

WARM_UP_SECONDS = 0.4


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


async def _call_until(session: Session, end: float, seconds: list[float]) -> None:
    while time.perf_counter() < end:
        seconds.append(await session.echo())


async def _drive(sessions: list[Session], duration: float) -> list[float]:
    seconds: list[float] = []
    end = time.perf_counter() + duration
    async with asyncio.TaskGroup() as tasks:
        for session in sessions:
            tasks.create_task(_call_until(session, end, seconds))
    return sorted(seconds)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def measure(port: int, pid: int, connections: int, duration: float) -> Sample:
    """Drive the server on `port`, whose process is `pid`, for `duration` seconds after a warm-up."""
    sessions = [await Session.open(await Connection.open(port)) for _ in range(connections)]
    await _drive(sessions, WARM_UP_SECONDS)
    server, load = psutil.Process(pid), psutil.Process()
    server_before, load_before, started = _cpu_seconds(server), _cpu_seconds(load), time.perf_counter()
    seconds = await _drive(sessions, duration)
    elapsed = time.perf_counter() - started
    return Sample(
        calls_per_second=len(seconds) / elapsed,
        median_ms=seconds[len(seconds) // 2] * 1000,
        p99_ms=seconds[int(len(seconds) * 0.99)] * 1000,
        server_cpu_ms=(_cpu_seconds(server) - server_before) / len(seconds) * 1000,
        load_cpu_share=(_cpu_seconds(load) - load_before) / elapsed,
    )


if __name__ == "__main__":
    gc.disable()  # the load must not pause; it lives for seconds
    _, listening, process, count, time_limit = sys.argv
    print(json.dumps(asdict(asyncio.run(measure(int(listening), int(process), int(count), float(time_limit))))))
