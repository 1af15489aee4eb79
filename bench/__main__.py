"""Measures every contestant and writes the report: `python -m bench`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from bench.contestants import BARE, OURS, ROOT, STORED, Server, serving
from bench.load import Sample
from bench.machine import describe
from bench.memory import CONDITIONS, HIBERNATED, HOLDING, IdleCost, idle_cost
from bench.report import render
from bench.results import Memory, Results, Rounds

CONTESTANTS = (BARE, STORED, OURS)
CONNECTIONS = (1, 16)
REPORT = ROOT / "docs" / "benchmarks.md"
GRACE_SECONDS = 30


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _load(server: Server, connections: int, seconds: float) -> Sample:
    command = [sys.executable, "-m", "bench.load", *map(str, (server.port, server.pid, connections, seconds))]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=seconds + GRACE_SECONDS)
    return Sample(**json.loads(done.stdout))


def measure_load(folder: Path, rounds: int, seconds: float) -> Rounds:
    """Load every contestant, one server at a time; each round starts with another one."""
    samples: dict[tuple[str, int], list[Sample]] = defaultdict(list)
    for number in range(rounds):
        turn = number % len(CONTESTANTS)
        for contestant in CONTESTANTS[turn:] + CONTESTANTS[:turn]:
            with serving(contestant, folder) as server:
                for connections in CONNECTIONS:
                    sample = _load(server, connections, seconds)
                    samples[contestant.key, connections].append(sample)
                    _say(f"round {number + 1}: {contestant.title}, {connections}: {sample.calls_per_second:,.0f}/s")
    return samples


def measure_memory(folder: Path, session_counts: list[int], many: int, streams: int) -> Memory:
    """Measure idle sessions in every condition, very many hibernated ones, and held streams."""
    conditions = [(idleness, count) for idleness in CONDITIONS for count in session_counts]
    conditions += [(HIBERNATED, many), *((idleness, streams) for idleness in HOLDING)]
    memory: dict[str, list[IdleCost]] = defaultdict(list)
    for idleness, count in conditions:
        cost = idle_cost(idleness, folder, count)
        memory[idleness.title].append(cost)
        _say(f"{count:,} sessions: {idleness.title}: {cost.kilobytes:.1f} kB each")
    return memory


def main() -> None:
    """Measure, print the report and write it down."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of load per measurement")
    parser.add_argument(
        "--sessions", type=int, nargs="+", default=[1_000, 5_000], help="idle sessions, in every condition"
    )
    parser.add_argument("--many", type=int, default=20_000, help="idle sessions, hibernated only")
    parser.add_argument("--streams", type=int, default=500, help="held GET streams")
    parser.add_argument("--output", type=Path, default=REPORT, help="where the report is written")
    arguments = parser.parse_args()
    machine = list(describe())
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        rounds = measure_load(Path(folder), arguments.rounds, arguments.seconds)
        memory = measure_memory(Path(folder), arguments.sessions, arguments.many, arguments.streams)
        results = Results(rounds, memory)
    settings = f"{arguments.rounds} rounds of {arguments.seconds:g} s per server and number of connections"
    report = render(results, machine, settings)
    arguments.output.write_text(report)
    print(report)


if __name__ == "__main__":
    main()
