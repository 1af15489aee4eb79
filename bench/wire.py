"""A small MCP client of the handshake era over raw HTTP/1.1, so that the load costs little beside the server.

One connection carries one exchange at a time and stays open. Every answer is read whole and checked: a wrong status,
id or content is an error, never a fast request.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

PROTOCOL_VERSION = "2025-11-25"
VERSION_HEADER = f"MCP-Protocol-Version: {PROTOCOL_VERSION}\r\n"
CLIENT_INFO = {"name": "switchroom-bench", "version": "1"}


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

    def request(self, message: Mapping[str, Any], session_id: str | None = None) -> bytes:
        """Return the bytes that post `message`."""
        body = json.dumps(message, separators=(",", ":")).encode()
        session = ""
        if session_id is not None:
            session = f"Mcp-Session-Id: {session_id}\r\n{VERSION_HEADER}"
        return f"{self._head}{session}Content-Length: {len(body)}\r\n\r\n".encode() + body

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

    async def begin_stream(self, session_id: str) -> None:
        """Open the session's GET stream on this connection and read no further than its head.

        Raises:
            WrongAnswer: The server refused it.
        """
        head = self._head.replace("POST", "GET", 1).replace("application/json, text/event-stream", "text/event-stream")
        self._writer.write(f"{head}Mcp-Session-Id: {session_id}\r\n{VERSION_HEADER}\r\n".encode())
        answer = await self._reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise WrongAnswer(f"GET was answered {answer!r}")

    async def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while size := int(await self._reader.readline(), 16):
            parts.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readline()
        return b"".join(parts)


class Session:
    """One initialized MCP session; its calls go over the connection it was opened on."""

    def __init__(self, connection: Connection, session_id: str) -> None:
        self._connection = connection
        self._session_id = session_id
        self._calls = 0

    @classmethod
    async def open(cls, connection: Connection) -> Session:
        """Do the whole handshake.

        Raises:
            WrongAnswer: The server refused it.
        """
        params = {"protocolVersion": PROTOCOL_VERSION, "capabilities": {}, "clientInfo": CLIENT_INFO}
        answer = await connection.exchange(
            connection.request({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        )
        _result(answer, 0)
        session = cls(connection, answer.headers["mcp-session-id"])
        notification = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        accepted = await connection.exchange(connection.request(notification, session._session_id))
        if accepted.status != 202:
            raise WrongAnswer(f"notifications/initialized was answered {accepted.status}: {accepted.body!r}")
        return session

    async def hold_stream(self, connection: Connection) -> Connection:
        """Open the session's GET stream on a connection of its own, and return that."""
        await connection.begin_stream(self._session_id)
        return connection

    async def echo(self) -> float:
        """Call the tool `echo` once; the seconds from the first byte sent to the last byte read.

        Raises:
            WrongAnswer: The answer is not this call's.
        """
        self._calls += 1
        text = f"call {self._calls} of {self._session_id}"
        params = {"name": "echo", "arguments": {"text": text}}
        message = {"jsonrpc": "2.0", "id": self._calls, "method": "tools/call", "params": params}
        request = self._connection.request(message, self._session_id)
        started = time.perf_counter()
        answer = await self._connection.exchange(request)
        seconds = time.perf_counter() - started
        content = _result(answer, self._calls)["content"]
        if [block["text"] for block in content] != [text]:
            raise WrongAnswer(f"asked for {text!r}, got {content!r}")
        return seconds


def _result(answer: Answer, request_id: int) -> dict[str, Any]:
    if answer.status != 200 or not answer.headers["content-type"].startswith("text/event-stream"):
        raise WrongAnswer(f"expected an SSE answer, got {answer.status} {answer.headers}: {answer.body!r}")
    data = [line[6:] for line in answer.body.splitlines() if line.startswith(b"data: ") and len(line) > 6]
    if len(data) != 1:
        raise WrongAnswer(f"expected one message, got {len(data)}: {answer.body!r}")
    message: dict[str, Any] = json.loads(data[0])
    if message.get("id") != request_id or "result" not in message:
        raise WrongAnswer(f"expected the result of request {request_id}, got {message!r}")
    result: dict[str, Any] = message["result"]
    return result
