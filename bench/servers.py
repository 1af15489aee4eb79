"""uvicorn's other event loop and HTTP parser, on both sides."""

from __future__ import annotations

from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from bench.contestants import serving, under
from bench.load import Sample
from bench.section import Ratio, Section, Table
from bench.throughput import load

CONNECTIONS = 16
WAYS = tuple(
    (loop, parser)
    for parser in ("h11", "httptools")
    for loop in ("asyncio", "uvloop")
    if find_spec(loop) and find_spec(parser)
)
"""Those that are installed: `make bench` sees to all."""

METHOD = f"""\
`tools/call` in the handshake era at {CONNECTIONS} connections, as above, under each event loop and HTTP parser that
uvicorn has. Switchroom is mounted in an app (`mount_console`) with its SQLite log: `switchroom serve` itself keeps to
asyncio and h11, whose parser lets it bound how slowly a client may send and read. "To asyncio and h11" compares a side
with itself."""


def measure(folder: Path, rounds: int, seconds: float) -> Section:
    """Load both sides under every loop and parser, taking turns."""
    samples: dict[tuple[str, str, bool], list[Sample]] = defaultdict(list)
    for _ in range(rounds):
        for loop, parser in WAYS:
            for is_ours in (False, True):
                with serving(under(loop, parser, is_ours=is_ours), folder) as server:
                    samples[loop, parser, is_ours].append(load(server, "sse", CONNECTIONS, seconds, None))
    rows: list[tuple[str, ...]] = []
    for is_ours, title in ((False, "bare SDK"), (True, "Switchroom, mounted")):
        for loop, parser in WAYS:
            found = samples[loop, parser, is_ours]
            rate = [each.calls_per_second for each in found]
            to_plain = Ratio.of(rate, [each.calls_per_second for each in samples[*WAYS[0], is_ours]])
            to_bare = Ratio.of(rate, [each.calls_per_second for each in samples[loop, parser, False]])
            cpu = f"{median(each.server_cpu_ms for each in found):.3f}"
            rows.append((title, loop, parser, f"{median(rate):,.0f}", cpu, str(to_plain), str(to_bare)))
    head = (
        "",
        "loop",
        "parser",
        "calls per second",
        "server CPU per call, ms",
        "to asyncio and h11",
        "to the bare SDK",
    )
    return Section("servers", "Other loops and parsers", [], [Table("", head, rows)], METHOD, [f"{rounds} rounds"])
