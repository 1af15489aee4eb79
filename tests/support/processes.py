"""`switchroom serve` as its user runs it: a process of its own, spoken to over HTTP."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

START_SECONDS = 30.0
COMMAND = (sys.executable, "-m", "switchroom.dashboard")


class Served:
    """A running server: where it is, what it prints, and how to reach its API."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.output: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.base = self._base()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return "".join(self.output)

    def _base(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if (found := re.search(r"MCP\s+(http://[^/\s]+)/\S*", self.text)) is not None:
                self._wait_until_ready(found[1], deadline)
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self.text}")

    def _wait_until_ready(self, base: str, deadline: float) -> None:
        while time.monotonic() < deadline:
            try:
                answer = httpx2.get(f"{base}/readyz")
                if answer.status_code == 200 or answer.json()["store"] == "damaged":
                    return  # with a damaged store it never gets more ready than that
            except httpx2.TransportError:
                time.sleep(0.02)
        raise AssertionError(f"the server is not ready:\n{self.text}")

    @property
    def mcp(self) -> str:
        return f"{self.base}/mcp"

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])

    @property
    def sign_in_link(self) -> str:
        """The one-time link that was printed."""
        found = re.search(r"http://\S+token=\S+", self.text)
        assert found is not None, self.text
        return found[0]

    def token(self, role: str = "operator") -> str:
        """Return a new API token, made by the command line beside the running server."""
        return run_command(self.folder, "tokens", "create", "--name", f"test-{role}", "--role", role).splitlines()[-1]

    def api(self, role: str = "operator") -> httpx2.AsyncClient:
        """Return a client of the JSON API with a token of that role."""
        headers = {"Authorization": f"Bearer {self.token(role)}"}
        return httpx2.AsyncClient(base_url=f"{self.base}/api/v1", headers=headers, timeout=10)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        """Send a signal and return the seconds until the process had ended."""
        started = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=15)
        self._reader.join(timeout=5)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return time.monotonic() - started


def environment(**settings: str) -> dict[str, str]:
    """Return an environment with these settings and none from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SWITCHROOM_", "FASTMCP_"))}
    return {**kept, **{f"SWITCHROOM_{name.upper()}": value for name, value in settings.items()}}


def run_command(folder: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> str:
    """Run a command of the command line in `folder` and return what it printed."""
    given = environment(**(settings or {}))
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=given, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def failing_command(folder: Path, *arguments: str, **settings: str) -> str:
    """Run a command that must fail, and return what it printed to standard error."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=environment(**settings), capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0, done.stdout
    return done.stderr.strip()


def start(folder: Path, *arguments: str, **settings: Any) -> Served:
    """Start `switchroom serve` in `folder` with these arguments and settings."""
    return run_inside([*COMMAND, "serve", *arguments], folder, **settings)


def run_inside(command: Sequence[str], folder: Path, **settings: Any) -> Served:
    """Run a command in `folder` that becomes `switchroom serve`."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(**{name: str(value) for name, value in settings.items()}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        return Served(process, folder)
    except BaseException:
        process.kill()
        process.wait()
        raise


@contextmanager
def serving(folder: Path, *arguments: str, **settings: Any) -> Generator[Served]:
    """Run `switchroom serve` on a free port for the time of a block."""
    served = start(folder, *arguments, *(() if "--port" in arguments else ("--port", "0")), **settings)
    try:
        yield served
    finally:
        served.stop(signal.SIGKILL)
