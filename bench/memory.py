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
    holds_stream: bool = False
    """Whether every session's GET stream is held open, those of the wave before included."""


_AWAKE = {"SWITCHROOM_HIBERNATE_SECONDS": "3600"}
_HIBERNATED = {"SWITCHROOM_HIBERNATE_SECONDS": "1"}
_SETTLE_SECONDS = 5.0
"""The sweeper looks every two seconds."""

HIBERNATED = Idleness("Switchroom, hibernated", OURS, _HIBERNATED, _SETTLE_SECONDS, True)
CONDITIONS = (
    Idleness("bare SDK", BARE, {}, 1.0, False),
    Idleness("Switchroom, awake", OURS, _AWAKE, 1.0, False),
    HIBERNATED,
)
HOLDING = (
    Idleness("bare SDK, GET stream held", BARE, {}, 1.0, False, holds_stream=True),
    Idleness("Switchroom, GET stream held", OURS, _HIBERNATED, _SETTLE_SECONDS, True, holds_stream=True),
)


@dataclass(frozen=True)
class IdleCost:
    """Resident memory of the server process, per session."""

    sessions: int
    kilobytes: float
    opened_per_second: float


async def _open(port: int, count: int, held: list[Connection] | None) -> float:
    """Open sessions one after the other, with their GET streams added to `held`; the seconds that took."""
    connection = await Connection.open(port)
    started = time.perf_counter()
    for _ in range(count):
        session = await Session.open(connection)
        if held is not None:
            held.append(await session.hold_stream(await Connection.open(port)))
    seconds = time.perf_counter() - started
    await connection.close()
    return seconds


def _resident_bytes(server: Server) -> int:
    resident: int = psutil.Process(server.pid).memory_info().rss
    return resident


def idle_cost(idleness: Idleness, folder: Path, count: int) -> IdleCost:
    """Measure `count` idle sessions on a fresh server."""
    with serving(idleness.contestant, folder, idleness.environment) as server:
        return asyncio.run(_measure(idleness, server, count))


async def _measure(idleness: Idleness, server: Server, count: int) -> IdleCost:
    held: list[Connection] | None = [] if idleness.holds_stream else None
    await _open(server.port, count if idleness.is_second_wave else WARM_UP_SESSIONS, held)
    await asyncio.sleep(idleness.settle_seconds)
    before = _resident_bytes(server)
    seconds = await _open(server.port, count, held)
    await asyncio.sleep(idleness.settle_seconds)
    grown = _resident_bytes(server) - before
    for connection in held or ():
        await connection.close()
    return IdleCost(count, grown / count / 1024, count / seconds)
