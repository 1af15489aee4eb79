"""`make soak`: full load for minutes, with clients cut and the server killed at random, and an account of it.

Nothing acknowledged may be missing at the end, and memory must be flat while the server is left alone.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.support.enduring import Enduring, enduring
from tests.support.processes import Served, start

CLIENTS = 16
CUT_SHARE = 0.02
SAMPLE_SECONDS = 1.0
FLAT_KB_PER_MINUTE = 1024.0
"""Growth of a server under load that is still called flat: its log's indexes and SQLite's caches fill up first."""


class Account(NamedTuple):
    """What came of it."""

    seconds: float
    kills: int
    calls: int
    cuts: int
    retries: int
    missing: list[str]
    slope: float
    """Kilobytes of resident memory per minute, in the second half, in which the server is not killed."""


async def soak(folder: Path, seconds: float, kills: int) -> Account:
    """Load a server in `folder`; it is killed in the first half of the time."""
    choose = random.Random(seconds)
    started = time.monotonic()
    served = start(folder, "--port", "0", limits="off")
    api = served.api("viewer")
    try:
        async with enduring(served.mcp, CLIENTS, cut_share=CUT_SHARE) as clients:
            for _ in range(kills):
                await asyncio.sleep(choose.uniform(0.5, 1.5) * seconds / 2 / max(1, kills))
                await asyncio.to_thread(served.stop, signal.SIGKILL)
                served = await asyncio.to_thread(start, folder, "--port", str(served.port), limits="off")
            slope = await _slope(served, seconds / 2)
        missing = [line for each in clients for line in await each.what_is_missing(served.mcp, api)]
        return _account(clients, time.monotonic() - started, kills, missing, slope)
    finally:
        await api.aclose()
        served.stop()


def _account(clients: list[Enduring], seconds: float, kills: int, missing: list[str], slope: float) -> Account:
    calls = sum(each.acknowledged for each in clients)
    cuts, retries = sum(each.cuts for each in clients), sum(each.retries for each in clients)
    return Account(seconds, kills, calls, cuts, retries, missing, slope)


async def _slope(served: Served, seconds: float) -> float:
    """Return the growth of resident memory, fitted over the samples, without the first third that warms up."""
    process = psutil.Process(served.process.pid)
    samples: list[tuple[float, float]] = []
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < seconds:
        if elapsed > seconds / 3:
            samples.append((elapsed / 60, process.memory_info().rss / 1024))
        await asyncio.sleep(SAMPLE_SECONDS)
    middle = sum(at for at, _ in samples) / len(samples)
    level = sum(size for _, size in samples) / len(samples)
    spread = sum((at - middle) ** 2 for at, _ in samples)
    return sum((at - middle) * (size - level) for at, size in samples) / spread if spread else 0.0


def main() -> None:
    """Soak, print the account, and exit with 1 when something is missing or memory grows."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--kills", type=int, default=20, help="of the server, in the first half")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="switchroom-soak-") as folder:
        account = asyncio.run(soak(Path(folder), given.minutes * 60, given.kills))
    print(f"{account.seconds:,.0f} s, {account.kills} kills of the server, {account.cuts:,} calls cut by their client")
    print(f"{account.calls:,} calls acknowledged, {account.retries:,} tried again, {len(account.missing)} missing")
    print(f"memory in the second half: {account.slope:+,.0f} kB a minute")
    print(*account.missing[:20], sep="\n")
    sys.exit(bool(account.missing) or account.slope > FLAT_KB_PER_MINUTE)


if __name__ == "__main__":
    main()
