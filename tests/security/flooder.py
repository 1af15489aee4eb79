"""A flood from a process of its own: an honest client's wait beside it is then the server's doing, not the test's."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.security.neighbours import modern_body, modern_headers
from tests.support.wire import Wire, initialize_message

SECONDS = 60.0
ROOT = Path(__file__).parents[2]


class Shot(NamedTuple):
    """One request of a flood."""

    headers: dict[str, str]
    body: str


class Refusal(NamedTuple):
    """What came back for one request; a refusal more often than not."""

    status: int
    """0 where the connection ended without an answer."""
    retry_after: str
    text: str


def initializes(number: int, *, token: str = "") -> list[Shot]:
    """Return that many `initialize` requests."""
    headers = Wire("", None, token=token or None).headers()  # type: ignore[arg-type]
    return [Shot(headers, json.dumps(initialize_message()))] * number


def modern_calls(number: int, tool: str, **arguments: object) -> list[Shot]:
    """Return that many tool calls of the newer era."""
    headers = modern_headers("tools/call", name=tool)
    return [Shot(headers, modern_body("tools/call", name=tool, arguments=arguments).decode()) for _ in range(number)]


class Flood:
    """A flood under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lines = asyncio.ensure_future(self._read())

    @property
    def is_over(self) -> bool:
        return self._lines.done()

    async def answers(self) -> list[Refusal]:
        """Return what came back for every request, once all are answered."""
        async with asyncio.timeout(SECONDS):
            return [Refusal(*json.loads(line)) for line in await self._lines]

    async def _read(self) -> list[bytes]:
        assert self._process.stdout is not None
        return [line async for line in self._process.stdout]


@asynccontextmanager
async def flooding(url: str, address: str, shots: Sequence[Shot]) -> AsyncGenerator[Flood]:
    """Send these requests at once, each on a connection of its own, from an address of this machine."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.security.flooder", url, address),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write("".join(f"{json.dumps(shot)}\n" for shot in shots).encode())
        process.stdin.close()
        assert await process.stdout.readline() == b"connected\n"
        under_way = Flood(process)
        yield under_way
        await under_way.answers()  # it ends by itself then
    except BaseException:
        process.kill()
        raise
    finally:
        await process.wait()


async def flood(url: str, address: str, shots: Sequence[Shot]) -> list[Refusal]:
    """Send a flood and return what came back, with nobody beside it."""
    async with flooding(url, address, shots) as under_way:
        return await under_way.answers()


# -- the process -------------------------------------------------------------------------------


async def main(url: str, address: str) -> None:
    """Connect once for each line of standard input, then send all at once and print what comes back."""
    shots = [Shot(*json.loads(line)) for line in sys.stdin]
    at = urlsplit(url)
    assert at.hostname is not None and at.port is not None
    lines = [await asyncio.open_connection(at.hostname, at.port, local_addr=(address, 0)) for _ in shots]
    _say("connected")
    async with asyncio.TaskGroup() as tasks:
        for shot, (reader, writer) in zip(shots, lines, strict=True):
            tasks.create_task(_send(shot, f"{at.hostname}:{at.port}", at.path, reader, writer))


async def _send(shot: Shot, host: str, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    headers = {"host": host, "connection": "close", "content-length": str(len(shot.body)), **shot.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    answer = b""
    try:
        writer.write(f"POST {path} HTTP/1.1\r\n{head}\r\n{shot.body}".encode())
        answer = await reader.read(-1)
    except ConnectionError:
        pass
    writer.transport.abort()
    _say(json.dumps(_parsed(answer.decode())))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parsed(answer: str) -> Refusal:
    head, _, text = answer.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    if not first:
        return Refusal(0, "", "")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Refusal(int(first.split()[1]), headers.get("retry-after", ""), text)


if __name__ == "__main__":
    os.nice(10)  # a flooder has a machine of its own, elsewhere
    asyncio.run(main(*sys.argv[1:]))
