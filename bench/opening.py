"""Opening sessions, and bringing hibernated ones back."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from statistics import median

from bench.contestants import BARE, OURS, Contestant, serving
from bench.section import Ratio, Section, Table, at_most
from bench.wire import Connection, Session

CONNECTIONS = 8
HIBERNATING = {"SWITCHROOM_HIBERNATE_SECONDS": "1"}
SETTLE_SECONDS = 5.0

METHOD = """\
A session is opened with the whole handshake: `initialize`, its answer, `notifications/initialized`. Eight connections
open sessions side by side. To revive one, a session that has hibernated is called once (`echo`) and the whole call is
timed, then called again for comparison; the difference is what bringing it back costs."""


def measure(folder: Path, rounds: int, count: int) -> Section:
    """Measure opening side by side, and reviving."""
    bare: list[float] = []
    ours: list[float] = []
    for number in range(rounds):
        for contestant in (BARE, OURS) if number % 2 else (OURS, BARE):
            with serving(contestant, folder) as server:
                rate = asyncio.run(_opened_per_second(server.port, count))
            (bare if contestant is BARE else ours).append(rate)
            print(f"opening, round {number + 1}: {contestant.title}: {rate:,.0f}/s", file=sys.stderr)
    first, again = _reviving(OURS, folder, count)
    claims = [
        Ratio.of(ours, bare).at_least("sessions opened per second, to the bare SDK", 1.5),
        at_most("first call of a hibernated session, median", median(first), 2, "ms"),
    ]
    rows = [
        ("sessions opened per second, bare SDK", f"{median(bare):,.0f}"),
        ("sessions opened per second, Switchroom", f"{median(ours):,.0f}"),
        ("first call of a hibernated session, median / p99, ms", _spread(first)),
        ("its second call, median / p99, ms", _spread(again)),
    ]
    settings = [f"{rounds} rounds of {count:,} sessions opened; {count:,} revived"]
    return Section("opening", "Opening and reviving", claims, [Table("", ("", ""), rows)], METHOD, settings)


def _spread(milliseconds: list[float]) -> str:
    return f"{median(milliseconds):.2f} / {sorted(milliseconds)[int(len(milliseconds) * 0.99)]:.2f}"


async def _opened_per_second(port: int, count: int) -> float:
    async def open_some() -> None:
        connection = await Connection.open(port)
        for _ in range(count // CONNECTIONS):
            await Session.open(connection)
        await connection.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONNECTIONS):
            tasks.create_task(open_some())
    return count / (time.perf_counter() - started)


def _reviving(contestant: Contestant, folder: Path, count: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of the first call after hibernation and of the next one, per session."""

    async def revive(port: int) -> tuple[list[float], list[float]]:
        connection = await Connection.open(port)
        sessions = [await Session.open(connection) for _ in range(count)]
        await asyncio.sleep(SETTLE_SECONDS)
        fresh = await Connection.open(port)  # uvicorn has closed the quiet one
        moved = [session.over(fresh) for session in sessions]
        calls = [(await session.call("echo"), await session.call("echo")) for session in moved]
        return [first * 1000 for first, _ in calls], [again * 1000 for _, again in calls]

    with serving(contestant, folder, HIBERNATING) as server:
        return asyncio.run(revive(server.port))
