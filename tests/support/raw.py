"""A bare TCP connection to a server, for clients that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.support.wire import SECONDS, Wire


class RawConnection:
    """A bare TCP connection that sends what it is told and reads only when asked."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await asyncio.wait_for(self._writer.drain(), SECONDS)

    async def send_request(
        self, wire: Wire, method: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send one HTTP request with a session's headers."""
        target = urlsplit(wire.url)
        sent = {**wire.headers(), "host": target.netloc, "content-length": str(len(body)), **(headers or {})}
        head = f"{method} {target.path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in sent.items()) + "\r\n"
        await self.send(head.encode("latin-1") + body)

    async def read_until(self, wanted: bytes, *, within: float = SECONDS) -> bytes:
        """Read until `wanted` has come and return all of it."""
        received = b""
        async with asyncio.timeout(within):
            while wanted not in received:
                chunk = await self._reader.read(65536)
                assert chunk, f"the connection ended before {wanted!r}; it carried {received[-500:]!r}"
                received += chunk
        return received

    async def read_to_end(self, *, within: float = SECONDS) -> int:
        """Read until the server closes the connection and return how many bytes came."""
        received = 0
        async with asyncio.timeout(within):
            while chunk := await self._reader.read(1 << 20):
                received += len(chunk)
        return received


@asynccontextmanager
async def raw_connection(url: str, *, buffer: int = 1 << 16) -> AsyncGenerator[RawConnection]:
    """Connect without a client library; `buffer` bounds what is read ahead."""
    target = urlsplit(url)
    reader, writer = await asyncio.open_connection(target.hostname, target.port, limit=buffer)
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.transport.abort()
