"""One process, one or two listeners: with `--admin-port` the console has one of its own.

MCP clients then reach no console and operators no MCP, so a firewall can tell them apart by the port.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn

from ...server.errors import StartupError


class AdminServer(uvicorn.Server):
    """The console's own listener. It leaves signals to the main one, which starts it and ends it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture nothing: the main server's handler is in place."""
        yield


class MainServer(uvicorn.Server):
    """The listener of MCP, and of everything where the console has none of its own."""

    def __init__(self, config: uvicorn.Config, admin: tuple[AdminServer, socket.socket] | None = None) -> None:
        super().__init__(config)
        self._admin = admin
        self._serving: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and then the console's listener: it has no lifespan of its own."""
        await super().startup(sockets)
        if self._admin is None or self.should_exit:
            return
        server, listener = self._admin
        self._serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        while not server.started and not self._serving.done():
            await asyncio.sleep(0.005)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the console's listener first: the lifespan, and with it the store, ends with this one."""
        if self._admin is not None and self._serving is not None:
            self._admin[0].should_exit = True
            self._admin[0].force_exit = self.force_exit
            await asyncio.gather(self._serving, return_exceptions=True)
        await super().shutdown(sockets)


def bind(host: str, port: int, option: str) -> socket.socket:
    """Return a listening socket.

    Args:
        option: The command line's name of the port, for the message.

    Raises:
        StartupError: The address is taken or cannot be used.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # The protocol is named because asyncio turns Nagle off only where it is: 40 ms an answer otherwise.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        raise StartupError(
            f"Cannot listen on {host}:{port} ({error.strerror or error}): "
            f"stop what uses it, or choose another with {option}."
        ) from error
    listener.setblocking(False)
    return listener


def base_of(host: str, listener: socket.socket) -> str:
    """Return the address that a listener answers at."""
    port: int = listener.getsockname()[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
