"""A TCP proxy that cuts connections at random: between two messages, inside one, before one has begun."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

TICK_SECONDS = 0.05


class _Link:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter, bytes_left: int) -> None:
        self.client = client
        self.server = server
        self.bytes_left = bytes_left
        """How much of the server's answer passes before a cut inside it."""


class RandomCuts:
    """Passes bytes on; while `is_cutting`, connections last `mean_seconds` on average or a random number of bytes."""

    def __init__(self, upstream_port: int, seed: int, mean_seconds: float, most_bytes: int) -> None:
        self._upstream_port = upstream_port
        self._random = random.Random(seed)
        self._chance = TICK_SECONDS / mean_seconds
        self._most_bytes = most_bytes
        self._links: set[_Link] = set()
        self.port = 0
        self.is_cutting = False
        self.cuts = 0

    async def cut_by_time(self) -> None:
        """Cut some of the open connections in every tick, until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for link in list(self._links):
                if self.is_cutting and self._random.random() < self._chance:
                    self._cut(link)

    def _cut(self, link: _Link) -> None:
        """End a connection: half of them are reset, the others end as if all had been said."""
        self._links.discard(link)
        self.cuts += 1
        link.server.transport.abort()
        if self._random.random() < 0.5:
            link.client.transport.abort()
        else:
            link.client.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until either end closes it or it is cut."""
        try:
            answers, upstream = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, upstream, self._random.randint(1, self._most_bytes))
        self._links.add(link)
        pumps = [asyncio.create_task(self._up(reader, link)), asyncio.create_task(self._down(answers, link))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._links.discard(link)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            writer.close()
            upstream.transport.abort()

    @staticmethod
    async def _up(reader: asyncio.StreamReader, link: _Link) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(65_536):
                link.server.write(chunk)
                await link.server.drain()

    async def _down(self, answers: asyncio.StreamReader, link: _Link) -> None:
        with suppress(ConnectionError):
            while chunk := await answers.read(65_536):
                if self.is_cutting and len(chunk) > link.bytes_left:
                    link.client.write(chunk[: link.bytes_left])
                    self._cut(link)
                    return
                link.bytes_left -= len(chunk) if self.is_cutting else 0
                link.client.write(chunk)
                await link.client.drain()


@asynccontextmanager
async def random_cuts(
    upstream_port: int, *, seed: int, mean_seconds: float, most_bytes: int
) -> AsyncGenerator[RandomCuts]:
    """Run a proxy to that port of this machine; it cuts nothing until it is told to."""
    proxy = RandomCuts(upstream_port, seed, mean_seconds, most_bytes)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, backlog=1024)
    proxy.port = server.sockets[0].getsockname()[1]
    cutter = asyncio.create_task(proxy.cut_by_time())
    try:
        yield proxy
    finally:
        cutter.cancel()
        server.close()
        await asyncio.gather(cutter, return_exceptions=True)
