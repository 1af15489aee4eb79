"""From nothing to ready, and what importing costs."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.contestants import BARE, OURS, ROOT, START_SECONDS, Server, serving
from bench.section import Ratio, Section, Table
from bench.wire import INITIALIZE, WrongAnswer

IMPORTS = (("bare SDK", "mcp.server.mcpserver, uvicorn"), ("Switchroom", "switchroom.dashboard.app, uvicorn"))

METHOD = """\
From the start of the server's process until it has answered an `initialize`, on an empty database; and the time a new
interpreter takes to import what serves. Byte code is there already. Switchroom's console is built beside the first
calls: the last column says when its sign-in page was answered, asked for right after the `initialize`."""


def measure(folder: Path, rounds: int) -> Section:
    """Start each server several times, taking turns."""
    ready: dict[str, list[float]] = {BARE.key: [], OURS.key: []}
    console: list[float] = []
    imported: dict[str, list[float]] = {title: [] for title, _ in IMPORTS}
    for number in range(rounds + 1):
        for contestant in (BARE, OURS):
            with serving(contestant, folder, is_settled=False) as server:
                answered = _answered(server, "POST", "/mcp")
                shown = _answered(server, "GET", "/admin/login") if contestant.has_console else None
                if number:  # the first round only warms the file system
                    ready[contestant.key].append(answered)
                    console += [shown] if shown is not None else []
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
        ("bare SDK", _ms(bare), _ms(imported["bare SDK"]), ""),
        ("Switchroom", _ms(ours), _ms(imported["Switchroom"]), _ms(console)),
    ]
    table = Table("", ("", "start to ready, ms", "import, ms", "start to the console's page, ms"), rows)
    return Section("starting", "Start", claims, [table], METHOD, [f"{rounds} starts and imports each"])


def _ms(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1000:,.0f}"


def _answered(server: Server, method: str, path: str) -> float:
    """Return how long after the start of its process the server answered a request with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=START_SECONDS)
    body = json.dumps(INITIALIZE) if method == "POST" else None
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    connection.request(method, path, body, headers if body else {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise WrongAnswer(f"{method} {path} was answered {answer.status}")
    return time.monotonic() - server.started_at


def _import_seconds(modules: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {modules}"], cwd=ROOT, check=True)
    return time.perf_counter() - started
