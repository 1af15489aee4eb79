"""A handshake-era client over bare sockets that resumes every stream, light enough for hundreds in one process."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, NamedTuple

from tests.support.wire import Json, SseEvent, initialize_message, parse_event

STANDALONE = 0
RECONNECT_SECONDS = (0.02, 0.3)
"""A client waits this long before it comes back; clients that all came at once would be another test."""


class Heard(NamedTuple):
    """A message that arrived whole."""

    seq: int
    message: Json


class Broken(Exception):
    """The connection ended before the answer did."""


class Refused(Exception):
    """The server answered with a status that no cut connection explains."""


class ResumingClient:
    """One session; what it hears is kept by stream, in the order of arrival."""

    def __init__(self, port: int, name: str, chance: random.Random) -> None:
        self._port = port
        self._name = name
        self._chance = chance
        self._secret = ""
        self._cursors: dict[int, str] = {}
        self._next_id = 1
        self.session_id = ""
        """The public reference, which event ids begin with."""
        self.heard: dict[int, list[Heard]] = defaultdict(list)
        self.resumptions = 0
        self.unheard = 0
        """Calls whose connection was cut before the first event: their client holds nothing to resume from."""

    # -- what a client does --------------------------------------------------------------------

    async def open(self) -> None:
        """Do the handshake."""
        async for _ in self._events(self._post(initialize_message(name=self._name, id=0))):
            pass
        async for _ in self._events(self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})):
            pass

    async def listen(self) -> None:
        """Hold the standalone stream open and resume it, until cancelled."""
        while True:
            try:
                async with aclosing(self._events(self._get(self._cursors.get(STANDALONE)))) as events:
                    async for _ in events:
                        pass
            except Broken:
                pass
            await self._pause()
            self.resumptions += 1

    @property
    def is_listening(self) -> bool:
        """Whether the standalone stream has given it a cursor."""
        return STANDALONE in self._cursors

    async def call(self, tool: str, **arguments: object) -> Json:
        """Call a tool until its answer is heard; one that left no cursor is called again, under another id."""
        while True:
            self._next_id += 1
            params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": self._next_id}}
            message = {"jsonrpc": "2.0", "id": self._next_id, "method": "tools/call", "params": params}
            answer = await self._answer(message, self._next_id)
            if answer is not None:
                return answer
            self.unheard += 1
            await self._pause()

    async def _answer(self, message: Json, request_id: int) -> Json | None:
        request, stream = self._post(message), None
        while True:
            try:
                async with aclosing(self._events(request)) as events:
                    async for number, event in events:
                        stream = number
                        if event.is_message and event.message.get("id") == request_id:
                            return event.message
            except Broken:
                pass
            if stream is None:
                return None
            await self._pause()
            self.resumptions += 1
            request = self._get(self._cursors[stream])

    async def _pause(self) -> None:
        await asyncio.sleep(self._chance.uniform(*RECONNECT_SECONDS))

    # -- HTTP ----------------------------------------------------------------------------------

    def _head(self, method: str, accept: str, extra: str) -> str:
        session = f"Mcp-Session-Id: {self._secret}\r\nMCP-Protocol-Version: 2025-11-25\r\n" if self._secret else ""
        return (
            f"{method} /mcp HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nConnection: close\r\n"
            f"Accept: {accept}\r\n{session}{extra}\r\n"
        )

    def _post(self, message: Json) -> bytes:
        body = json.dumps(message).encode()
        extra = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return self._head("POST", "application/json, text/event-stream", extra).encode() + body

    def _get(self, last_event_id: str | None) -> bytes:
        extra = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id is not None else ""
        return self._head("GET", "text/event-stream", extra).encode()

    async def _events(self, request: bytes) -> AsyncGenerator[tuple[int, SseEvent]]:
        """Send a request on a connection of its own and yield its events with their stream's number.

        Raises:
            Broken: The connection ended early.
            Refused: Another status than 200 and 202.
        """
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(request)
            chunked = await self._read_head(reader)
            text = ""
            async with aclosing(_body(reader, chunked)) as parts:
                async for part in parts:
                    *blocks, text = (text + part.decode("ascii")).split("\n\n")
                    for block in blocks:
                        event = parse_event(block)
                        if event.id is not None:
                            yield self._note(event.id, event), event
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Broken from error
        finally:
            if writer is not None:
                writer.transport.abort()

    async def _read_head(self, reader: asyncio.StreamReader) -> int | None:
        """Return the length of the body, or `None` when it comes in chunks."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}
        self._secret = self._secret or headers.get("mcp-session-id", "")
        if status not in (200, 202):
            raise Refused(f"{status}: {(await reader.read(2000)).decode()}")
        return None if headers.get("transfer-encoding") == "chunked" else int(headers.get("content-length", "0"))

    def _note(self, event_id: str, event: SseEvent) -> int:
        session_id, _, seq, stream = event_id.split(".")
        self.session_id = self.session_id or session_id
        number = int(stream, 16)
        self._cursors[number] = event_id
        if event.is_message:
            self.heard[number].append(Heard(int(seq, 16), event.message))
        return number


async def _body(reader: asyncio.StreamReader, length: int | None) -> AsyncGenerator[bytes]:
    """Yield a body's bytes as they come, parts of a chunk as well; one that ends early raises `IncompleteReadError`."""
    if length is not None:
        async for part in _exactly(reader, length):
            yield part
        return
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        async for part in _exactly(reader, size):
            yield part
        await reader.readexactly(2)
    await reader.readexactly(2)


async def _exactly(reader: asyncio.StreamReader, length: int) -> AsyncGenerator[bytes]:
    while length:
        part = await reader.read(length)
        if not part:
            raise asyncio.IncompleteReadError(b"", length)
        length -= len(part)
        yield part


def stored_streams(log: list[dict[str, Any]]) -> dict[int, list[Heard]]:
    """Return what a session's log, as the API shows it, holds for each stream's client."""
    streams: dict[int, list[Heard]] = defaultdict(list)
    for event in log:
        if event["direction"] == "from_server" and event["stream"] is not None:
            assert event["payload"] is not None, event
            streams[event["stream"]].append(Heard(event["seq"], event["payload"]))
    return dict(streams)
