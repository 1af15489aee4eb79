"""The results as Markdown, ratios first: what is printed and what docs/benchmarks.md holds are one text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bench.contestants import BARE, OURS, STORED
from bench.results import GOALS, Results

FIGURES = (
    ("calls per second", "calls_per_second", "{:,.0f}"),
    ("median, ms", "median_ms", "{:.2f}"),
    ("p99, ms", "p99_ms", "{:.2f}"),
    ("server CPU per call, ms", "server_cpu_ms", "{:.3f}"),
)

METHOD = """\
Each server runs alone, in a uvicorn process of its own on loopback (asyncio loop, h11, no access log, one worker), and
serves the same MCP server with one tool, `echo`. The load is a separate process that speaks raw HTTP/1.1 over kept
connections: it does the 2025-11-25 handshake, then sends `tools/call` in a closed loop, one session per connection,
and checks the id and the content of every answer (all are SSE answers). Switchroom runs as `switchroom serve` with
its default durability, its limits off and its console mounted: every message is in its SQLite log before it is
answered. A round measures every server once, starting with another one each time; a figure is the median of the
rounds, and a ratio is the median of the ratios within each round, with the lowest and the highest round behind it.

Server CPU per call is user and system time of the server process; it is the figure that other work on the machine
disturbs least. The load's share of a core says whether the load or the server was the limit.

Memory is the growth of the server's resident memory divided by the number of sessions, each opened with the whole
handshake and left alone. Awake, a session is as its last request left it; hibernated, it has been quiet for longer
than `SWITCHROOM_HIBERNATE_SECONDS` (30 by default), and its next request brings it back. Python keeps memory it once
took, so the hibernated ones are measured on a server that already holds as many. A held stream is a session and its
open GET stream, each on a connection of its own, quiet for as long; those of Switchroom are measured on a server that
already holds as many as well. The goals are 4 kB for a hibernated session and 25 kB for one with its stream held.
The bare SDK drops nothing while idle, so its first wave is what is shown. The peak of a first wave is higher here too:
counted from an empty server, Switchroom grew by about 38 kB for each of its first 500 held streams."""


def render(results: Results, machine: Iterable[tuple[str, str]], settings: str) -> str:
    """Return the whole page."""
    connections = sorted({count for _, count in results.rounds})
    sections = [
        "# Benchmarks",
        "Written by `make bench`, which measures this again on your machine in under ten minutes.",
        "## How far from the goals",
        _table(("against the bare SDK", "measured", "goal", ""), _goals(results)),
        "## Switchroom relative to the others",
        _table(("", "connections", "to the bare SDK", "to the SDK + event store"), _ratios(results, connections)),
        "## Figures",
        _table(
            ("", "connections", *(title for title, *_ in FIGURES), "load, share of a core"),
            _figures(results, connections),
        ),
        "## Memory per idle session",
        _table(("", "sessions", "kB each", "opened per second"), _memory(results)),
        "## How it is measured",
        METHOD,
        "## On what",
        _table(("", ""), [*machine, ("settings", settings)]),
    ]
    return "\n\n".join(sections) + "\n"


def _goals(results: Results) -> Iterator[Sequence[str]]:
    for goal in GOALS:
        ratio = results.ratio(goal.figure, OURS.key, BARE.key, goal.connections)
        bound = f"at {'least' if goal.is_floor else 'most'} {goal.bound:.1f}x"
        yield goal.title, str(ratio), bound, goal.verdict(ratio)


def _ratios(results: Results, connections: Sequence[int]) -> Iterator[Sequence[str]]:
    for title, figure, _ in FIGURES:
        for count in connections:
            ratios = (str(results.ratio(figure, OURS.key, other.key, count)) for other in (BARE, STORED))
            yield title.partition(",")[0], str(count), *ratios


def _figures(results: Results, connections: Sequence[int]) -> Iterator[Sequence[str]]:
    for count in connections:
        for contestant in (BARE, STORED, OURS):
            sample = results.sample(contestant.key, count)
            figures = (form.format(getattr(sample, figure)) for _, figure, form in FIGURES)
            yield contestant.title, str(count), *figures, f"{sample.load_cpu_share:.0%}"


def _memory(results: Results) -> Iterator[Sequence[str]]:
    for title, costs in results.memory.items():
        for cost in costs:
            yield title, f"{cost.sessions:,}", f"{cost.kilobytes:.1f}", f"{cost.opened_per_second:,.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
