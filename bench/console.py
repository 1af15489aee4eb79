"""What the console costs beside very many sessions: the list, its frames, and many consoles open at once."""

from __future__ import annotations

import asyncio
import html
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx2
import psutil

from bench.contestants import Contestant, Server, serving, viewer_token
from bench.section import Claim, Section, Table, at_most

CHANGES = 5_000
"""Changes a second, spread over all live sessions at random."""
CONSOLES = 20
_REQUESTS = 21
_FILL_SECONDS = 240.0

METHOD = f"""\
A server holds many live sessions, whose records change {CHANGES:,} times a second as answered requests would change
them; making the changes is part of the server's load but not of what is charged to the console. The list is read one
page after the other over a kept connection, with the usual columns, and its time runs from the request to the last
byte. {CONSOLES} consoles then follow the first page of the list, each on a stream of its own; the CPU of the server's
process is read with and without them. A second server keeps many ended sessions beside as many live ones; nothing
changes on it."""

_LISTS = {
    "all": "/admin/sessions",
    "client:claude-code": "/admin/sessions?q=client:claude-code",
    "sorted by requests": "/admin/sessions?sort=-requests",
    "free text": "/admin/sessions?q=goose",
}


@dataclass
class Frames:
    """What one console was sent."""

    sizes: list[int]
    times: list[float]


class Sizes(NamedTuple):
    """How much is measured."""

    live: int
    """Live sessions."""
    kept: int
    """Ended sessions that the second server keeps."""
    seconds: float
    """How long CPU and frames are watched."""


def _busy(live: int, kept: int, rate: float) -> Contestant:
    command = (sys.executable, "-m", "bench.busy", "{port}", "{folder}", str(live), str(kept), str(rate))
    return Contestant(f"busy-{kept}", "Switchroom, busy", command)


def measure(folder: Path, sizes: Sizes) -> Section:
    """Measure the busy server, then the one that keeps many ended sessions."""
    with serving(_busy(sizes.live, 0, CHANGES), folder) as server:
        page, frames, share = asyncio.run(_measure_busy(server, sizes.seconds))
    with serving(_busy(sizes.live, sizes.kept, 1), folder) as server:
        kept = asyncio.run(_measure_lists(server))
    return _section(sizes, page, frames, share, kept)


def _section(
    measured: Sizes,
    page: tuple[list[float], int],
    frames: Sequence[Frames],
    share: float,
    kept: dict[str, list[float]],
) -> Section:
    times, size = page
    sizes = [size for each in frames for size in each.sizes]
    rate = max(len(each.times) / measured.seconds for each in frames)
    slowest = max(median(each) for each in kept.values())
    claims: list[Claim] = [
        at_most(f"list page with {measured.live:,} live sessions, median", median(times), 150, "ms"),
        at_most("list page, HTML", size / 1024, 150, "KB"),
        at_most("frames of a console per second", rate, 1.0, ""),
        at_most("largest frame", max(sizes) / 1024, 40, "KB"),
        at_most(f"{CONSOLES} open consoles, share of a core", share * 100, 10, "%"),
        at_most(f"list page with {measured.kept:,} ended sessions kept, slowest list's median", slowest, 300, "ms"),
    ]
    rows = [(f"{measured.live:,} live, {CHANGES:,} changes/s", f"{median(times):.0f}", f"{max(times):.0f}")]
    rows += [
        (f"{measured.kept:,} kept, {name}", f"{median(each):.0f}", f"{max(each):.0f}") for name, each in kept.items()
    ]
    sent = [("median", f"{median(sizes) / 1024:.1f}"), ("largest", f"{max(sizes) / 1024:.1f}")]
    tables = [Table("List page", ("", "median, ms", "slowest, ms"), rows), Table("Frames", ("", "KB"), sent)]
    return Section("console", "The console beside very many sessions", claims, tables, METHOD)


async def _measure_busy(server: Server, seconds: float) -> tuple[tuple[list[float], int], list[Frames], float]:
    async with await _client(server) as client:
        times, text = await _read(client, "/admin/sessions")
        process = psutil.Process(server.pid)
        alone = await _cpu_share(process, seconds)
        found = re.search(r'hx-sse:connect="([^"]+)"', text)
        assert found is not None, "the list does not follow anything"
        url = html.unescape(found[1])
        frames = [Frames([], []) for _ in range(CONSOLES)]
        following = [asyncio.ensure_future(_follow(client, url, each)) for each in frames]
        await asyncio.sleep(2)
        for each in frames:
            each.sizes.clear()
            each.times.clear()
        together = await _cpu_share(process, seconds)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    print(f"console: page {median(times):.0f} ms, alone {alone:.0%}, with {CONSOLES} {together:.0%}", file=sys.stderr)
    return (times, len(text.encode())), frames, max(0.0, together - alone)


async def _measure_lists(server: Server) -> dict[str, list[float]]:
    async with await _client(server) as client:
        return {name: (await _read(client, url))[0] for name, url in _LISTS.items()}


async def _client(server: Server) -> httpx2.AsyncClient:
    """Wait until the sessions are there, and return a signed-in client."""
    end = time.monotonic() + _FILL_SECONDS
    while "FILLED" not in (server.folder / "server.log").read_text(errors="replace"):
        if time.monotonic() > end:
            raise TimeoutError("The server was not filled in time.")
        await asyncio.sleep(0.2)
    headers = {"Authorization": f"Bearer {viewer_token(server, 'operator')}"}
    limits = httpx2.Limits(max_connections=CONSOLES + 5)
    return httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{server.port}", headers=headers, limits=limits, timeout=httpx2.Timeout(30)
    )


async def _read(client: httpx2.AsyncClient, url: str) -> tuple[list[float], str]:
    """Return the milliseconds of each request, and the last page."""
    times, text = list[float](), ""
    for _ in range(_REQUESTS):
        started = time.perf_counter()
        answer = await client.get(url)
        times.append((time.perf_counter() - started) * 1000)
        text = answer.text
        answer.raise_for_status()
        await asyncio.sleep(0.05)
    return times, text


async def _follow(client: httpx2.AsyncClient, url: str, frames: Frames) -> None:
    async with client.stream("GET", url) as answer:
        answer.raise_for_status()
        size = 0
        async for line in answer.aiter_lines():
            size += len(line) + 1
            if line:
                continue
            if size > 200:  # heartbeats are no frames
                frames.sizes.append(size)
                frames.times.append(time.monotonic())
            size = 0


async def _cpu_share(process: psutil.Process, seconds: float) -> float:
    """Return the share of one core that the process uses over some seconds."""
    before, started = process.cpu_times(), time.perf_counter()
    await asyncio.sleep(seconds)
    after = process.cpu_times()
    used: float = after.user + after.system - before.user - before.system
    return used / (time.perf_counter() - started)
