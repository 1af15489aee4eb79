"""What an idle session costs: sessions are opened with the whole handshake and left alone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.contestants import BARE, OURS, Contestant, Server, serving
from bench.section import Section, Table, at_most
from bench.wire import Connection, Session, begin_listening

WARM_UP = 50
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
    holds: str = ""
    """`get`: every session's GET stream is held open; `listen`: so is a `subscriptions/listen` stream instead of a
    session. Those of the wave before included."""


_AWAKE = {"SWITCHROOM_HIBERNATE_SECONDS": "3600"}
_HIBERNATED = {"SWITCHROOM_HIBERNATE_SECONDS": "1"}
_SETTLE_SECONDS = 5.0
"""The sweeper looks every two seconds."""

BARE_IDLE = Idleness("bare SDK", BARE, {}, 1.0, False)
AWAKE = Idleness("Switchroom, awake", OURS, _AWAKE, 1.0, False)
HIBERNATED = Idleness("Switchroom, hibernated", OURS, _HIBERNATED, _SETTLE_SECONDS, True)
BARE_GET = Idleness("bare SDK, GET stream held", BARE, {}, 1.0, False, "get")
GET = Idleness("Switchroom, GET stream held", OURS, _HIBERNATED, _SETTLE_SECONDS, True, "get")
BARE_LISTEN = Idleness("bare SDK, listen stream held", BARE, {}, 1.0, False, "listen")
LISTEN = Idleness("Switchroom, listen stream held", OURS, _HIBERNATED, 1.0, False, "listen")

METHOD = """\
Memory is the growth of the server's resident memory divided by the number of sessions, each opened with the whole
handshake and left alone. Awake, a session is as its last request left it; hibernated, it has been quiet for longer
than `SWITCHROOM_HIBERNATE_SECONDS` (30 by default), and its next request brings it back. Python keeps memory it once
took, so hibernated sessions and held GET streams are measured on a server that already holds as many: that is what the
next one costs. Counted from an empty server the first ones cost more, as the tables of the first wave show. A held
stream is on a connection of its own, quiet as long; uvicorn's connection is in the figure. A listen stream is the
newer era's `subscriptions/listen`, which has no session."""


def measure(folder: Path, sessions: int, many: int, streams: int) -> Section:
    """Measure idle sessions in every condition, very many hibernated ones, and held streams."""
    plan = [(BARE_IDLE, sessions), (AWAKE, sessions), (HIBERNATED, sessions), (HIBERNATED, many)]
    plan += [(idleness, streams) for idleness in (BARE_GET, GET, BARE_LISTEN, LISTEN)]
    kilobytes: dict[tuple[str, int], float] = {}
    for idleness, count in plan:
        cost = kilobytes[idleness.title, count] = idle_cost(idleness, folder, count)
        print(f"{count:,} sessions: {idleness.title}: {cost:.1f} kB each", file=sys.stderr)
    claims = [
        at_most(f"memory of an idle session ({many:,} of them)", kilobytes[HIBERNATED.title, many], 4, "kB"),
        at_most("memory of a held GET stream", kilobytes[GET.title, streams], 25, "kB"),
        at_most("memory of a listen stream", kilobytes[LISTEN.title, streams], 54, "kB"),
    ]
    rows = [(title, f"{count:,}", f"{cost:.1f}") for (title, count), cost in kilobytes.items()]
    table = Table("Resident memory per session or stream", ("", "how many", "kB each"), rows)
    return Section("memory", "Memory", claims, [table], METHOD)


def idle_cost(idleness: Idleness, folder: Path, count: int) -> float:
    """Return the kilobytes of resident memory that each of `count` takes on a fresh server."""
    with serving(idleness.contestant, folder, idleness.environment) as server:
        return asyncio.run(_measure(idleness, server, count))


async def _measure(idleness: Idleness, server: Server, count: int) -> float:
    held: list[Connection] = []
    await _open(idleness, server.port, count if idleness.is_second_wave else WARM_UP, held)
    await asyncio.sleep(idleness.settle_seconds)
    before = _resident_bytes(server)
    await _open(idleness, server.port, count, held)
    await asyncio.sleep(idleness.settle_seconds)
    grown = _resident_bytes(server) - before
    for connection in held:
        await connection.close()
    return grown / count / 1024


async def _open(idleness: Idleness, port: int, count: int, held: list[Connection]) -> None:
    """Open sessions one after the other, with the streams that are held."""
    connection = await Connection.open(port)
    for number in range(count):
        if idleness.holds == "listen":
            held.append(await begin_listening(await Connection.open(port), number))
            continue
        session = await Session.open(connection)
        if idleness.holds == "get":
            held.append(await session.hold_stream(await Connection.open(port)))
    await connection.close()


def _resident_bytes(server: Server) -> int:
    resident: int = psutil.Process(server.pid).memory_info().rss
    return resident
