"""Who is measured, and how each one's server process is started and stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
STOP_SECONDS = 15


@dataclass(frozen=True)
class Contestant:
    """One way to serve the same MCP server."""

    key: str
    title: str
    command: tuple[str, ...]
    """`{port}` and `{folder}` (an empty folder of its own) are filled in."""
    environment: tuple[tuple[str, str], ...] = ()
    has_console: bool = False


@dataclass(frozen=True)
class Server:
    """A running contestant."""

    port: int
    pid: int
    folder: Path
    started_at: float
    """When its process was started, monotonic."""


def _reference(*options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "bench.reference", "{port}", *options)


def _switchroom(*options: str) -> tuple[str, ...]:
    serve = (sys.executable, "-m", "switchroom.dashboard", "serve", "bench/target.py:mcp", "--port", "{port}")
    return (*serve, "--db", "sqlite:///{folder}/bench.db", *options)


_NO_LIMITS = (("SWITCHROOM_LIMITS", "off"),)

BARE = Contestant("bare", "bare SDK", _reference())
BARE_JSON = Contestant("bare-json", "bare SDK", _reference("--json"))
STORED = Contestant("stored", "SDK + in-memory event store", _reference("--event-store"))
FASTMCP = Contestant("fastmcp", "fastmcp 4 + its event store", _reference("--fastmcp"))
OURS = Contestant("ours", "Switchroom, SQLite log, console open", _switchroom(), _NO_LIMITS, True)
OURS_JSON = Contestant(
    "ours-json", "Switchroom, SQLite log, console open", _switchroom("--json-response"), _NO_LIMITS, True
)


def under(loop: str, parser: str, *, is_ours: bool) -> Contestant:
    """Return the bare SDK, or Switchroom mounted in an app, under one of uvicorn's event loops and HTTP parsers."""
    chosen = (("BENCH_LOOP", loop), ("BENCH_HTTP", parser))
    if is_ours:
        mounted = _reference("--switchroom", "{folder}")
        return Contestant(f"ours-{loop}-{parser}", "Switchroom, mounted", mounted, _NO_LIMITS + chosen)
    return Contestant(f"bare-{loop}-{parser}", "bare SDK", _reference(), chosen)


def viewer_token(server: Server, role: str = "viewer") -> str:
    """Return a new API token of a running Switchroom, made as its operator would make it."""
    command = [sys.executable, "-m", "switchroom.dashboard", "tokens", "create", "--name", "bench", "--role", role]
    place = f"sqlite:///{server.folder}/bench.db"
    done = subprocess.run([*command, "--db", place], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().splitlines()[-1]


class StartFailed(Exception):
    """A contestant's server did not come up; the message holds what it printed."""


@contextmanager
def serving(
    contestant: Contestant, folder: Path, extra: Mapping[str, str] | None = None, *, is_settled: bool = True
) -> Generator[Server]:
    """Run the contestant's server, with its files in a new folder below `folder`.

    Args:
        is_settled: Wait until a console is built too, which happens beside the first calls.

    Raises:
        StartFailed: It ended, or did not listen in time.
    """
    place = folder / f"{contestant.key}-{time.monotonic_ns()}"
    place.mkdir(parents=True)
    port = _free_port()
    command = [part.format(port=port, folder=place) for part in contestant.command]
    log = place / "server.log"
    environment = {**os.environ, **dict(contestant.environment), **(extra or {})}
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_listening(process, port, log)
        if is_settled and contestant.has_console:
            urlopen(f"http://127.0.0.1:{port}/admin/login", timeout=START_SECONDS).close()
        yield Server(port, process.pid, place, started)
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise StartFailed(f"{process.args!r} does not listen:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
