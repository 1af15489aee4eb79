"""Calls per second, latency and CPU per call, beside the bare SDK and fastmcp."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.contestants import (
    BARE,
    BARE_JSON,
    FASTMCP,
    OURS,
    OURS_JSON,
    ROOT,
    STORED,
    Contestant,
    Server,
    serving,
    viewer_token,
)
from bench.load import TOKEN, Sample
from bench.section import Claim, Ratio, Section, Table

GRACE_SECONDS = 30


class Workload(NamedTuple):
    """One kind of load."""

    kind: str
    title: str
    connections: Sequence[int]
    contestants: Sequence[Contestant]


WORKLOADS = (
    Workload("sse", "`tools/call`, handshake era, SSE answer", (1, 16, 64), (BARE, STORED, FASTMCP, OURS)),
    Workload("chatty", "a chatty call: 20 log messages, each with progress", (16,), (BARE, OURS)),
    Workload("modern", "`tools/call`, 2026-07-28", (16,), (BARE, OURS)),
    Workload("json", "`tools/call`, `json_response`", (16,), (BARE_JSON, OURS_JSON)),
)

Samples = Mapping[tuple[str, str, int], Sequence[Sample]]
"""(workload's kind, contestant's key, connections) -> one sample per round."""

FIGURES = (
    ("calls per second", "calls_per_second", "{:,.0f}"),
    ("median, ms", "median_ms", "{:.2f}"),
    ("p99, ms", "p99_ms", "{:.2f}"),
    ("server CPU per call, ms", "server_cpu_ms", "{:.3f}"),
)

METHOD = """\
Each server runs alone, in a uvicorn process of its own on loopback (asyncio loop, h11, no access log, one worker), and
serves the same MCP server. The load is a separate process that speaks raw HTTP/1.1 over kept connections, one client
per connection: it does the 2025-11-25 handshake where there is one, then calls the tool in a closed loop, and checks
the id and the content of every answer. Switchroom runs as `switchroom serve` with its default durability, its limits
off, and one page of its console open: every message is in its SQLite log before it is answered, and a follower is sent
what changed. fastmcp 4 and the SDK keep their events in memory. A round measures every server once, starting with
another one each time; a figure is the median of the rounds, and a ratio is the median of the ratios within each round,
with the lowest and the highest round behind it.

Server CPU per call is user and system time of the server process; it is the figure that other work on the machine
disturbs least. The load's share of a core says whether the load or the server was the limit."""


def measure(folder: Path, rounds: int, seconds: float) -> Section:
    """Load every contestant, one server at a time; each round starts with another one."""
    samples: dict[tuple[str, str, int], list[Sample]] = defaultdict(list)
    contestants = list(dict.fromkeys(each for workload in WORKLOADS for each in workload.contestants))
    for number in range(rounds):
        turn = number % len(contestants)
        for contestant in contestants[turn:] + contestants[:turn]:
            for (kind, connections), sample in _loads(contestant, folder, seconds):
                samples[kind, contestant.key, connections].append(sample)
                rate = f"{sample.calls_per_second:,.0f}/s"
                print(f"round {number + 1}: {contestant.title}, {kind}, {connections}: {rate}", file=sys.stderr)
    claims = list(_claims(samples))
    tables = [Table("Relative to the others", _RATIO_HEAD, list(_ratios(samples)))]
    tables += [
        Table(_sentence(workload.title), _FIGURE_HEAD, list(_figures(samples, workload))) for workload in WORKLOADS
    ]
    settings = [f"{rounds} rounds of {seconds:g} s per server, kind of call and number of connections"]
    return Section("throughput", "Throughput and latency", claims, tables, METHOD, settings)


def _loads(contestant: Contestant, folder: Path, seconds: float) -> Iterator[tuple[tuple[str, int], Sample]]:
    with serving(contestant, folder) as server:
        token = viewer_token(server) if contestant.has_console else None
        for workload in WORKLOADS:
            if contestant in workload.contestants:
                for connections in workload.connections:
                    yield (workload.kind, connections), load(server, workload.kind, connections, seconds, token)


def load(server: Server, kind: str, connections: int, seconds: float, token: str | None) -> Sample:
    """Load a server from a process of its own."""
    command = [sys.executable, "-m", "bench.load", *map(str, (server.port, server.pid, kind, connections, seconds))]
    environment = {**os.environ, **({TOKEN: token} if token is not None else {})}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, timeout=seconds + GRACE_SECONDS
    )
    return Sample(**json.loads(done.stdout))


def _ratio(samples: Samples, figure: str, kind: str, connections: int, ours: Contestant, other: Contestant) -> Ratio:
    mine, theirs = (
        [float(getattr(sample, figure)) for sample in samples[kind, who.key, connections]] for who in (ours, other)
    )
    return Ratio.of(mine, theirs)


def _claims(samples: Samples) -> Iterator[Claim]:
    for count in (16, 64):
        rate = _ratio(samples, "calls_per_second", "sse", count, OURS, BARE)
        yield rate.at_least(f"calls per second at {count} connections, to the bare SDK", 2.0)
    yield _ratio(samples, "median_ms", "sse", 1, OURS, BARE).at_most("median at 1 connection, to the bare SDK", 0.6)
    for count in (1, 16, 64):
        p99 = _ratio(samples, "p99_ms", "sse", count, OURS, BARE)
        yield p99.at_most(f"p99 at {count} connections, to the bare SDK", 1.0)
    for kind, title, bound in (
        ("json", "`json_response`", 1.2),
        ("modern", "2026-07-28", 0.95),
        ("chatty", "chatty", 1.5),
    ):
        ours, bare = (OURS_JSON, BARE_JSON) if kind == "json" else (OURS, BARE)
        rate = _ratio(samples, "calls_per_second", kind, 16, ours, bare)
        yield rate.at_least(f"calls per second at 16 connections, {title}, to the bare SDK", bound)


_RATIO_HEAD = ("", "connections", "to the bare SDK", "to the SDK + event store", "to fastmcp 4 + its event store")


def _ratios(samples: Samples) -> Iterator[Sequence[str]]:
    for title, figure, _ in FIGURES:
        for count in WORKLOADS[0].connections:
            ratios = (str(_ratio(samples, figure, "sse", count, OURS, other)) for other in (BARE, STORED, FASTMCP))
            yield title.partition(",")[0], str(count), *ratios


_FIGURE_HEAD = ("", "connections", *(title for title, *_ in FIGURES), "load, share of a core")


def _figures(samples: Samples, workload: Workload) -> Iterator[Sequence[str]]:
    for count in workload.connections:
        for contestant in workload.contestants:
            found = samples[workload.kind, contestant.key, count]
            figures = (form.format(median(getattr(each, figure) for each in found)) for _, figure, form in FIGURES)
            share = median(each.load_cpu_share for each in found)
            yield contestant.title, str(count), *figures, f"{share:.0%}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
