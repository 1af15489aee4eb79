"""What an idle session costs: sessions are opened with the whole handshake and left alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.contestants import BARE, OURS, Contestant, Server, serving
from bench.wire import Connection, Session

WARM_UP_SESSIONS = 50
"""Opened before the first reading, so that what a server allocates once is not charged to its sessions."""


@dataclass(frozen=True)
class Idleness:
    """In which condition idle sessions are measured."""

    title: str
    contestant: Contestant
    environment: Mapping[str, str]
    settle_seconds: float
    """Between the last handshake and the reading."""
    is_second_wave: bool
    """Whether as many sessions went before: Python keeps the memory of their waking hours for those that follow, so
    the first wave would show the peak and not what a session costs."""


CONDITIONS = (
    Idleness("bare SDK", BARE, {}, 1.0, False),
    Idleness("Switchroom, awake", OURS, {"SWITCHROOM_HIBERNATE_SECONDS": "3600"}, 1.0, False),
    # The sweeper looks every two seconds.
    Idleness("Switchroom, hibernated", OURS, {"SWITCHROOM_HIBERNATE_SECONDS": "1"}, 5.0, True),
)


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


def idle_cost(idleness: Idleness, folder: Path, count: int) -> IdleCost:
    """Measure `count` idle sessions on a fresh server."""
    with serving(idleness.contestant, folder, idleness.environment) as server:
        asyncio.run(_open(server.port, count if idleness.is_second_wave else WARM_UP_SESSIONS))
        time.sleep(idleness.settle_seconds)
        before = _resident_bytes(server)
        seconds = asyncio.run(_open(server.port, count))
        time.sleep(idleness.settle_seconds)
        grown = _resident_bytes(server) - before
    return IdleCost(count, grown / count / 1024, count / seconds)
