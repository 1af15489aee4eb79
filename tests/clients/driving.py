"""Other people's clients as processes of their own: started, told what to do, listened to."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.packages import find_node, npm_packages, python_with

HERE = Path(__file__).parent
WAIT_SECONDS = 15.0


class Kind(NamedTuple):
    """One client to test with."""

    name: str
    command: Callable[[], list[str]]
    """Installs what the client needs and returns the start of its driver's command line."""
    explains_404: bool = True
    """Whether it shows what the server says when it refuses an ended session."""
    cuts: int = 1
    """How many cuts its standalone stream survives, as far as is tested. The Python ones give up at the second in
    a session's life, since only a stream that the server ends resets their count; a GET of their own is gone then."""


def _typescript(major: str) -> Callable[[], list[str]]:
    def command() -> list[str]:
        # Packages are found from where a script lies, so it runs beside them.
        folder = npm_packages(HERE)
        script = folder / "driver.mjs"
        script.write_bytes((HERE / "drivers" / "typescript.mjs").read_bytes())
        return [*find_node().node, str(script), major]

    return command


def _python(which: str, *requirements: str) -> Callable[[], list[str]]:
    def command() -> list[str]:
        python = str(python_with(*requirements)) if requirements else sys.executable
        return [python, str(HERE / "drivers" / "python_clients.py"), which]

    return command


KINDS = (
    Kind("python-1.30", _python("mcp1", "mcp==1.30.0"), explains_404=False),
    Kind("python-2.3", _python("mcp2")),
    Kind("fastmcp-4", _python("fastmcp", "fastmcp-slim[client]==4.1.2")),
    Kind("typescript-1", _typescript("1"), cuts=3),
    Kind("typescript-2", _typescript("2"), cuts=3),
)


class ClientError(Exception):
    """What a client raised, as its user would read it."""


class DrivenClient:
    """A running client."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._changed = asyncio.Event()
        self.heard: list[tuple[str, Any]] = []
        """What it was told unasked, in order: `log`, `progress`, `updated`, `trouble`, `ready`."""

    def all(self, event: str) -> list[Any]:
        """Return the values of one sort of event, in order."""
        return [value for name, value in self.heard if name == event]

    async def until(self, event: str, value: object = ..., *, times: int = 1) -> Any:
        """Wait for an event, with that value if one is named, and return its value."""
        async with asyncio.timeout(WAIT_SECONDS):
            while len(found := [held for held in self.all(event) if value is ... or held == value]) < times:
                self._changed.clear()
                await self._changed.wait()
        return found[-1]

    def start(self, command: str, **details: Any) -> asyncio.Future[Any]:
        """Give a command; the future raises `ClientError` if the client did."""
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"number": number, "command": command, **details}).encode() + b"\n")
        return answer

    async def ask(self, command: str, **details: Any) -> Any:
        """Give a command and wait for its answer."""
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.start(command, **details)

    def start_call(self, tool: str, **arguments: Any) -> asyncio.Future[Any]:
        return self.start("call", tool=tool, arguments=arguments)

    async def call(self, tool: str, **arguments: Any) -> Any:
        return await self.ask("call", tool=tool, arguments=arguments)

    async def listen(self) -> None:
        """Take in what the process says, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if "event" in said:
                self.heard.append((said["event"], said["value"]))
                self._changed.set()
                continue
            answer = self._answers.pop(said["number"])
            if answer.cancelled():
                continue
            if "error" in said:
                answer.set_exception(ClientError(said["error"]))
            else:
                answer.set_result(said["value"])
        for answer in self._answers.values():
            answer.set_exception(ClientError("the client's process has ended"))


@asynccontextmanager
async def driven(command: list[str], url: str, name: str, era: str = "handshake") -> AsyncGenerator[DrivenClient]:
    """Start a client, connect it, and end its session and its process afterwards."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, url, era, name, stdin=pipe, stdout=pipe, limit=2**20)
    client = DrivenClient(process)
    listening = asyncio.create_task(client.listen())
    try:
        await client.until("ready")
        yield client
        await client.ask("end")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
