"""Small MCP clients of both eras over raw HTTP/1.1, so that the load costs little beside the server.

One connection carries one exchange at a time and stays open. Every answer is read whole and checked: a wrong status,
id or content is an error, never a fast request.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY

PROTOCOL_VERSION = "2025-11-25"
VERSION_HEADER = f"MCP-Protocol-Version: {PROTOCOL_VERSION}\r\n"
CLIENT_INFO = {"name": "switchroom-bench", "version": "1"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": PROTOCOL_VERSION, "capabilities": {}, "clientInfo": CLIENT_INFO},
}
MODERN_VERSION = "2026-07-28"
MODERN_META = {
    PROTOCOL_VERSION_META_KEY: MODERN_VERSION,
    CLIENT_CAPABILITIES_META_KEY: {},
    CLIENT_INFO_META_KEY: CLIENT_INFO,
}


class WrongAnswer(Exception):
    """The server answered something other than what was asked."""


class Answer(NamedTuple):
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Connection:
    """One kept-alive HTTP connection to the server's MCP endpoint."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader = reader
        self._writer = writer
        self._head = (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\n"
        )

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect over loopback.

        Raises:
            OSError: Nothing listens there.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return cls(reader, writer, port)

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()

    def request(self, message: Mapping[str, Any], headers: str = "") -> bytes:
        """Return the bytes that post `message`; each of the headers ends with CRLF."""
        body = json.dumps(message, separators=(",", ":")).encode()
        return f"{self._head}{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def exchange(self, request: bytes) -> Answer:
        """Send a request and read its whole response."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
        if headers.get("transfer-encoding") == "chunked":
            body = await self._chunks()
        else:
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(head[0].split(" ", 2)[1]), headers, body)

    async def begin_stream(self, headers: str) -> None:
        """Open the session's GET stream on this connection and read no further than its head.

        Raises:
            WrongAnswer: The server refused it.
        """
        head = self._head.replace("POST", "GET", 1).replace("application/json, text/event-stream", "text/event-stream")
        await self.begin_answer(f"{head}{headers}\r\n".encode())

    async def begin_answer(self, request: bytes) -> None:
        """Send a request and read the head of its answer alone: what follows is a stream.

        Raises:
            WrongAnswer: The server refused it.
        """
        self._writer.write(request)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise WrongAnswer(f"a stream was answered {answer!r}")

    async def next_event(self) -> bytes:
        """Return the next non-empty chunk of a stream begun before.

        Raises:
            asyncio.IncompleteReadError: The server ended it.
        """
        size = int(await self._reader.readline(), 16)
        return (await self._reader.readexactly(size + 2))[:-2]

    async def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while size := int(await self._reader.readline(), 16):
            parts.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readline()
        return b"".join(parts)


class Caller(Protocol):
    """What the load drives: something that calls a tool and checks the answer."""

    async def call(self, tool: str) -> float:
        """Call the tool once; the seconds from the first byte sent to the last byte read.

        Raises:
            WrongAnswer: The answer is not this call's.
        """
        ...


class Session:
    """One initialized session of the handshake era; its calls go over the connection it was opened on."""

    def __init__(self, connection: Connection, session_id: str, is_json: bool) -> None:
        self._connection = connection
        self.session_id = session_id
        self._is_json = is_json
        self._calls = 0

    @classmethod
    async def open(cls, connection: Connection, *, is_json: bool = False) -> Session:
        """Do the whole handshake.

        Raises:
            WrongAnswer: The server refused it.
        """
        answer = await connection.exchange(connection.request(INITIALIZE))
        _result(answer, 0, is_json)
        session = cls(connection, answer.headers["mcp-session-id"], is_json)
        notification = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        accepted = await connection.exchange(connection.request(notification, session.headers))
        if accepted.status != 202:
            raise WrongAnswer(f"notifications/initialized was answered {accepted.status}: {accepted.body!r}")
        return session

    def over(self, connection: Connection) -> Session:
        """Return the same session on another connection."""
        return Session(connection, self.session_id, self._is_json)

    @property
    def headers(self) -> str:
        """The headers that name the session."""
        return f"Mcp-Session-Id: {self.session_id}\r\n{VERSION_HEADER}"

    async def hold_stream(self, connection: Connection) -> Connection:
        """Open the session's GET stream on a connection of its own, and return that."""
        await connection.begin_stream(self.headers)
        return connection

    async def tool(self, tool: str, **arguments: str) -> None:
        """Call a tool with these arguments, whatever it answers.

        Raises:
            WrongAnswer: The answer is not this call's, or an error.
        """
        self._calls += 1
        params = {"name": tool, "arguments": arguments}
        message = {"jsonrpc": "2.0", "id": self._calls, "method": "tools/call", "params": params}
        answer = await self._connection.exchange(self._connection.request(message, self.headers))
        _result(answer, self._calls, self._is_json)

    async def call(self, tool: str) -> float:
        self._calls += 1
        text = f"call {self._calls} of {self.session_id}"
        params = {"name": tool, "arguments": {"text": text}, "_meta": {"progressToken": self._calls}}
        message = {"jsonrpc": "2.0", "id": self._calls, "method": "tools/call", "params": params}
        request = self._connection.request(message, self.headers)
        started = time.perf_counter()
        answer = await self._connection.exchange(request)
        seconds = time.perf_counter() - started
        _check_text(_result(answer, self._calls, self._is_json), text)
        return seconds


class Sessionless:
    """A client of 2026-07-28, which opens nothing: every request says who it is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._calls = 0

    async def call(self, tool: str) -> float:
        self._calls += 1
        text = f"call {self._calls}"
        params = {"name": tool, "arguments": {"text": text}, "_meta": MODERN_META}
        message = {"jsonrpc": "2.0", "id": self._calls, "method": "tools/call", "params": params}
        headers = f"MCP-Protocol-Version: {MODERN_VERSION}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
        request = self._connection.request(message, headers)
        started = time.perf_counter()
        answer = await self._connection.exchange(request)
        seconds = time.perf_counter() - started
        _check_text(_result(answer, self._calls, is_json=True), text)
        return seconds


def _check_text(result: Mapping[str, Any], text: str) -> None:
    if [block["text"] for block in result["content"]] != [text]:
        raise WrongAnswer(f"asked for {text!r}, got {result!r}")


def _result(answer: Answer, request_id: int, is_json: bool) -> dict[str, Any]:
    wanted = "application/json" if is_json else "text/event-stream"
    if answer.status != 200 or not answer.headers["content-type"].startswith(wanted):
        raise WrongAnswer(f"expected {wanted}, got {answer.status} {answer.headers}: {answer.body!r}")
    data = [answer.body] if is_json else _messages(answer.body)
    message: dict[str, Any] = json.loads(data[-1]) if data else {}
    if message.get("id") != request_id or "result" not in message:
        raise WrongAnswer(f"expected the result of request {request_id}, got {answer.body!r}")
    result: dict[str, Any] = message["result"]
    return result


def _messages(body: bytes) -> list[bytes]:
    return [line[6:] for line in body.splitlines() if line.startswith(b"data: ") and len(line) > 6]


async def begin_listening(connection: Connection, number: int) -> Connection:
    """Open a `subscriptions/listen` stream on a connection of its own, and return that.

    Raises:
        WrongAnswer: The server refused it.
    """
    filters = {"toolsListChanged": True}
    message = {
        "jsonrpc": "2.0",
        "id": number,
        "method": "subscriptions/listen",
        "params": {"notifications": filters, "_meta": MODERN_META},
    }
    headers = f"MCP-Protocol-Version: {MODERN_VERSION}\r\nMcp-Method: subscriptions/listen\r\n"
    await connection.begin_answer(connection.request(message, headers))
    return connection
