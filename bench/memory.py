"""What an idle session costs: sessions are opened with the whole handshake and left alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.contestants import Contestant, Server, serving
from bench.wire import Connection, Session

WARM_UP_SESSIONS = 50
"""Opened before the first reading, so that what a server allocates once is not charged to its sessions."""

SETTLE_SECONDS = 6.0
"""The sweeper hibernates a session at most this long after `HIBERNATED` lets it, and flushes its counters."""

AWAKE = {"SWITCHROOM_HIBERNATE_SECONDS": "3600"}
HIBERNATED = {"SWITCHROOM_HIBERNATE_SECONDS": "1"}


@dataclass(frozen=True)
class IdleCost:
    """Resident memory of the server process, per session."""

    sessions: int
    kilobytes: float
    opened_per_second: float


async def _open(port: int, count: int) -> float:
    connection = await Connection.open(port)
    started = time.perf_counter()
    for _ in range(count):
        await Session.open(connection)
    seconds = time.perf_counter() - started
    await connection.close()
    return seconds


def _resident_bytes(server: Server) -> int:
    resident: int = psutil.Process(server.pid).memory_info().rss
    return resident


def idle_cost(contestant: Contestant, folder: Path, count: int, extra: Mapping[str, str] | None = None) -> IdleCost:
    """Measure `count` idle sessions on a fresh server."""
    with serving(contestant, folder, extra) as server:
        asyncio.run(_open(server.port, WARM_UP_SESSIONS))
        before = _resident_bytes(server)
        seconds = asyncio.run(_open(server.port, count))
        time.sleep(SETTLE_SECONDS if extra == HIBERNATED else 1)
        grown = _resident_bytes(server) - before
    return IdleCost(count, grown / count / 1024, count / seconds)
