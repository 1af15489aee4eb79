"""Sends many raw requests over a few kept connections, and reads whatever comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

SECONDS = 8.0
"""No answer may take longer: none of the requests asks for something slow."""

STREAM_SECONDS = 0.3
"""How long a stream that was opened is watched before it is left."""

Headers = tuple[tuple[str, str], ...]


class Case(NamedTuple):
    """One request."""

    name: str
    body: bytes = b""
    headers: Headers = ()
    method: str = "POST"
    path: str = "/mcp"

    @property
    def has_own_framing(self) -> bool:
        """Whether it says itself how long its body is, truly or not."""
        return any(name.lower() in ("content-length", "transfer-encoding") for name, _ in self.headers)

    def wire(self, port: int) -> bytes:
        """Return the bytes to send; host and length are added unless the case brings its own."""
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        if not any(name.lower() == "host" for name, _ in self.headers):
            lines.append(f"host: 127.0.0.1:{port}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if not self.has_own_framing and (self.body or self.method == "POST"):
            lines.append(f"content-length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


class Outcome(NamedTuple):
    """What came back: status 0 where the connection was closed without an answer, -1 where nothing came in time."""

    case: Case
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_fault(self) -> bool:
        return self.status < 0 or self.status >= 500

    def __str__(self) -> str:
        return f"{self.case.name}: {self.status} {self.body[:200]!r}"


async def fire(port: int, cases: Iterable[Case], *, connections: int = 8) -> list[Outcome]:
    """Send every case, several at a time, and return what came of each."""
    waiting = iter(cases)
    outcomes: list[Outcome] = []
    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(_gunner(port, waiting, outcomes))
    return outcomes


async def fire_one(port: int, case: Case) -> Outcome:
    """Send one case on a connection of its own."""
    (outcome,) = await fire(port, [case], connections=1)
    return outcome


def problems(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what must not have come back."""
    return [str(outcome) for outcome in outcomes if outcome.is_fault]


async def _gunner(port: int, cases: Iterator[Case], outcomes: list[Outcome]) -> None:
    line: _Line | None = None
    for case in cases:
        if line is None:
            line = await _Line.open(port)
        outcome, goes_on = await line.exchange(case)
        if outcome.status == 0 and not line.is_fresh:
            # A kept connection may have been closed just then: only a new one's silence counts.
            line.close()
            line = await _Line.open(port)
            outcome, goes_on = await line.exchange(case)
        outcomes.append(outcome)
        line.is_fresh = False
        if not goes_on or case.has_own_framing:
            line.close()
            line = None
    if line is not None:
        line.close()


class _Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader = reader
        self._writer = writer
        self._port = port
        self.is_fresh = True

    @classmethod
    async def open(cls, port: int) -> _Line:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 24), port)

    def close(self) -> None:
        self._writer.transport.abort()

    async def exchange(self, case: Case) -> tuple[Outcome, bool]:
        """Send a case; return its outcome and whether the connection can be used again."""
        try:
            async with asyncio.timeout(SECONDS):
                self._writer.write(case.wire(self._port))
                return await self._read(case)
        except TimeoutError:
            return Outcome(case, -1, {}, b"no answer in time"), False
        except (OSError, asyncio.IncompleteReadError):
            return Outcome(case, 0, {}, b"the connection was closed"), False

    async def _read(self, case: Case) -> tuple[Outcome, bool]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        if status == 100:
            return await self._read(case)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body, goes_on = await self._body(case, status, headers)
        return Outcome(case, status, headers, body), goes_on and headers.get("connection", "").lower() != "close"

    async def _body(self, case: Case, status: int, headers: dict[str, str]) -> tuple[bytes, bool]:
        if case.method == "HEAD" or status in (204, 304):
            return b"", True
        if "content-length" in headers:
            return await self._reader.readexactly(int(headers["content-length"])), True
        if headers.get("transfer-encoding") != "chunked":
            return await self._reader.read(), False
        is_stream = headers.get("content-type", "").startswith("text/event-stream")
        try:
            async with asyncio.timeout(STREAM_SECONDS if is_stream else SECONDS):
                return await self._chunks(), True
        except TimeoutError:
            return b"(a stream was opened)", False

    async def _chunks(self) -> bytes:
        received = b""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            received += await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return received
