"""Measures everything and writes the report: `python -m bench`, or `--only KEY` for one section."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import anatomy, console, memory, opening, servers, starting, storage, telling, throughput, visible
from bench.contestants import ROOT
from bench.machine import describe
from bench.report import render
from bench.section import Section

REPORT = ROOT / "docs" / "benchmarks.md"

Measure = Callable[[Path, argparse.Namespace], Section]

MEASURES: dict[str, Measure] = {
    "throughput": lambda folder, given: throughput.measure(folder, given.rounds, given.seconds),
    "anatomy": lambda folder, given: anatomy.measure(given.calls),
    "opening": lambda folder, given: opening.measure(folder, given.rounds, given.sessions),
    "broadcast": lambda folder, given: telling.measure(folder, given.rounds, given.audience, given.streams),
    "storage": lambda folder, given: storage.measure(folder, given.rounds, given.seconds / 3),
    "servers": lambda folder, given: servers.measure(folder, min(given.rounds, 3), given.seconds / 2),
    "starting": lambda folder, given: starting.measure(folder, given.rounds),
    "visible": lambda folder, given: visible.measure(folder, given.samples),
    "console": lambda folder, given: console.measure(folder, console.Sizes(given.live, given.kept, given.seconds * 8)),
    "memory": lambda folder, given: memory.measure(folder, given.sessions, given.many, given.streams // 2),
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=MEASURES, nargs="+", help="sections to measure; the report is printed only")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of load per measurement")
    parser.add_argument("--sessions", type=int, default=1_000, help="idle, opened and revived sessions")
    parser.add_argument("--many", type=int, default=20_000, help="idle sessions, hibernated only")
    parser.add_argument("--audience", type=int, default=10_000, help="sessions that a broadcast goes to")
    parser.add_argument("--streams", type=int, default=1_000, help="of them, those with a GET stream held")
    parser.add_argument("--live", type=int, default=10_000, help="live sessions that the console lists")
    parser.add_argument("--kept", type=int, default=100_000, help="ended sessions that are kept beside them")
    parser.add_argument("--calls", type=int, default=1_000, help="in a block of the calls taken apart")
    parser.add_argument("--samples", type=int, default=30, help="events that are waited for in a browser")
    parser.add_argument("--output", type=Path, default=REPORT, help="where the report is written")
    return parser.parse_args()


def main() -> None:
    """Measure, print the report and, when it is whole, write it down."""
    given = _arguments()
    machine = list(describe())
    sections: list[Section] = []
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        for key in given.only or MEASURES:
            started = time.monotonic()
            sections.append(MEASURES[key](Path(folder), given))
            print(f"== {key}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    report = render(sections, machine)
    if not given.only:
        given.output.write_text(report)
    print(report)


if __name__ == "__main__":
    main()
