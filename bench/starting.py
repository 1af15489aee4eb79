"""From nothing to ready, and what importing costs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.contestants import BARE, OURS, ROOT, serving
from bench.section import Ratio, Section, Table

IMPORTS = (("bare SDK", "mcp.server.mcpserver, uvicorn"), ("Switchroom", "switchroom.dashboard.app, uvicorn"))

METHOD = """\
From the start of the server's process until its port accepts a connection, on an empty database; and the time a new
interpreter takes to import what serves. Byte code is there already."""


def measure(folder: Path, rounds: int) -> Section:
    """Start each server several times, taking turns."""
    ready: dict[str, list[float]] = {BARE.key: [], OURS.key: []}
    imported: dict[str, list[float]] = {title: [] for title, _ in IMPORTS}
    for number in range(rounds + 1):
        for contestant in (BARE, OURS):
            with serving(contestant, folder) as server:
                if number:  # the first round only warms the file system
                    ready[contestant.key].append(server.ready_seconds)
        for title, modules in IMPORTS:
            seconds = _import_seconds(modules)
            if number:
                imported[title].append(seconds)
    bare, ours = ready[BARE.key], ready[OURS.key]
    claims = [
        Ratio.of(ours, bare).at_most("start to ready, to the bare SDK", 1.5),
        Ratio.of(imported["Switchroom"], imported["bare SDK"]).at_most("import time, to the bare SDK", 1.5),
    ]
    rows = [
        ("bare SDK", f"{median(bare) * 1000:,.0f}", f"{median(imported['bare SDK']) * 1000:,.0f}"),
        ("Switchroom", f"{median(ours) * 1000:,.0f}", f"{median(imported['Switchroom']) * 1000:,.0f}"),
    ]
    table = Table("", ("", "start to ready, ms", "import, ms"), rows)
    return Section("starting", "Start", claims, [table], METHOD, [f"{rounds} starts and imports each"])


def _import_seconds(modules: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {modules}"], cwd=ROOT, check=True)
    return time.perf_counter() - started
