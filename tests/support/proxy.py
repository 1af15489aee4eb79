"""A TCP proxy that cuts what goes through it when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class CuttingProxy:
    """Forwards bytes both ways; `cut` resets every open connection, `is_closed` refuses new ones."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self.accepted = 0
        self.is_closed = False

    @property
    def open_connections(self) -> int:
        return len(self._writers) // 2

    def cut(self) -> int:
        """Reset every connection and return how many there were."""
        count = self.open_connections
        for writer in list(self._writers):
            writer.transport.abort()
        return count

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_closed:
            writer.transport.abort()
            return
        self.accepted += 1
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        pair = {writer, there_writer}
        self._writers |= pair
        pumps = [
            asyncio.create_task(self._pump(reader, there_writer)),
            asyncio.create_task(self._pump(there_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._writers -= pair
            for open_writer in pair:
                open_writer.transport.abort()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()


@asynccontextmanager
async def cutting_proxy(url: str) -> AsyncGenerator[tuple[CuttingProxy, str]]:
    """Stand between a client and `url`; yields the proxy and the URL through it."""
    target = urlsplit(url)
    assert target.hostname is not None and target.port is not None
    proxy = CuttingProxy(target.hostname, target.port)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield proxy, f"http://127.0.0.1:{port}{target.path}"
    finally:
        server.close()
        proxy.cut()
        await server.wait_closed()
