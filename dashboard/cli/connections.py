"""What one connection to `switchroom serve` may do to everybody else: how many there are, how slowly they send or read.

uvicorn bounds none of it. An application that runs in a server of its own needs a proxy in front that does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from ipaddress import ip_address, ip_network
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ...server.engine.limits import Limit, LimitCounter
from ...server.errors import StartupError
from ...server.settings import Settings

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

logger = logging.getLogger("switchroom.connections")

_SPARE_FILES: Final = 256
"""Descriptors kept for databases, logs and libraries."""

_WANTED_FILES: Final = 65_536

_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n\r\n%s"
)
_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

_STOP_SECONDS: Final = 1.5
"""How long a client may take, once the server stops, to read what it was sent; a stream is cut after a second."""

_STOP_STEP: Final = 0.25

_MIN_PROGRESS: Final = 16 * 1024
"""Bytes a reader with a full buffer must take in `send_timeout_seconds` to keep its connection."""


class TrustedProxies:
    """The proxies whose word about a client's address is taken."""

    def __init__(self, text: str) -> None:
        """Args:
        text: Comma-separated addresses and networks.

        Raises:
            StartupError: One is neither.
        """
        self.named = [part.strip() for part in text.split(",") if part.strip()]
        try:
            self._networks = [ip_network(part) for part in self.named]
        except ValueError as error:
            raise StartupError(
                f"SWITCHROOM_TRUSTED_PROXIES cannot be {text!r}: {error}. Name addresses or networks, as 10.0.0.0/8."
            ) from None

    def __contains__(self, address: str) -> bool:
        if not self._networks:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


class ConnectionLedger:
    """Counts the open connections of one server. For the event loop's thread only."""

    def __init__(self, settings: Settings, hits: LimitCounter) -> None:
        self.settings = settings
        self.hits = hits
        self.trusted = TrustedProxies(settings.trusted_proxies)
        self._most = min(settings.max_connections, _raise_open_files() - _SPARE_FILES)
        self._by_address: Counter[str] = Counter()
        self._open = 0

    def refusal(self, address: str) -> bytes | None:
        """Return what a connection too many is told, or `None` when there is room."""
        if not self.settings.has_limits:
            return None
        if self._open >= self._most:
            return self._refuse(
                Limit.CONNECTIONS, address, f"The server holds its limit of {self._most:,} connections."
            )
        most = self.settings.max_connections_per_address
        if self._by_address[address] >= most and address not in self.trusted:
            text = f"Your address holds its limit of {most:,} connections."
            return self._refuse(Limit.CONNECTIONS_PER_ADDRESS, address, text)
        return None

    def opened(self, address: str) -> None:
        self._open += 1
        self._by_address[address] += 1

    def closed(self, address: str) -> None:
        self._open -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def _refuse(self, limit: Limit, address: str, text: str) -> bytes:
        self.hits.hit(limit, address)
        return _BUSY % (len(text), text.encode("ascii"))


def bounded_protocol(ledger: ConnectionLedger) -> type[asyncio.Protocol]:
    """Return the protocol that uvicorn makes for each connection, held to the ledger's limits."""

    class BoundedProtocol(_BoundedProtocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, ledger=ledger, **kwargs)

    return BoundedProtocol


class _BoundedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with a bound on every wait for the client."""

    def __init__(self, *args: Any, ledger: ConnectionLedger, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ledger = ledger
        self._address: str | None = None
        self._reading: asyncio.TimerHandle | None = None
        """Runs while a head, or the rest of a body that nobody reads any more, is on its way."""
        self._writing: asyncio.TimerHandle | None = None
        """Runs while the client does not take what is sent."""
        self._stopping: asyncio.TimerHandle | None = None

    # -- how many ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        refusal = self._ledger.refusal(address)
        if refusal is not None:
            self._say_and_leave(refusal)
            return
        self._address = address
        self._ledger.opened(address)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(self._reading, self._writing, self._stopping)
        self._reading = self._writing = self._stopping = None
        if self._address is not None:
            self._ledger.closed(self._address)
            self._address = None
        super().connection_lost(exc)

    # -- how slowly it sends -------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._await_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._await_request()

    def _await_request(self) -> None:
        """Bound the wait for the client where no application waits for it with a bound of its own."""
        state = self.conn.their_state
        is_unheard = state is h11.SEND_BODY and self._has_answered()
        if state is not h11.IDLE and not is_unheard:
            self._stop(self._reading)
            self._reading = None
        elif self._reading is None and not self.transport.is_closing() and not self._is_kept_alive():
            self._reading = self.loop.call_later(self._ledger.settings.head_seconds, self._give_up_reading)

    def _is_kept_alive(self) -> bool:
        return self.timeout_keep_alive_task is not None and self.conn.their_state is h11.IDLE

    def _give_up_reading(self) -> None:
        self._reading = None
        self._say_and_leave(_SLOW if self._has_answered() and self.conn.their_state is h11.IDLE else b"")

    def _has_answered(self) -> bool:
        cycle: Any = self.cycle  # none before the first request
        return cycle is None or bool(cycle.response_complete)

    # -- how slowly it reads -------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._writing is None:
            self._watch_reader(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop(self._writing)
        self._writing = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._leave_soon()

    def _watch_reader(self, size: int) -> None:
        # A live stream has the same bound, and ends itself first: this is for what is sent in one piece.
        wait = self._ledger.settings.send_timeout_seconds + 2
        self._writing = self.loop.call_later(wait, self._check_reader, size)

    def _check_reader(self, before: int) -> None:
        size = self.transport.get_write_buffer_size()
        if before - size >= _MIN_PROGRESS:
            self._watch_reader(size)
        else:
            self.transport.abort()

    # -- leaving -------------------------------------------------------------------------------

    def shutdown(self) -> None:
        super().shutdown()
        self._stopping = self.loop.call_later(_STOP_SECONDS, self._abort_if_closing)

    def _abort_if_closing(self) -> None:
        if self.transport.is_closing():
            self.transport.abort()
        else:
            self._stopping = self.loop.call_later(_STOP_STEP, self._abort_if_closing)

    def _say_and_leave(self, words: bytes) -> None:
        with contextlib.suppress(h11.LocalProtocolError):
            self.conn.send(h11.ConnectionClosed())
        if words:
            self.transport.write(words)
        self.transport.close()
        self._leave_soon()

    def _leave_soon(self) -> None:
        """A closed connection stays until its client has read the rest; one that does not read may not keep it."""
        if self._writing is None:
            self._writing = self.loop.call_later(self._ledger.settings.send_timeout_seconds, self.transport.abort)

    @staticmethod
    def _stop(*timers: asyncio.TimerHandle | None) -> None:
        for timer in timers:
            if timer is not None:
                timer.cancel()


def _raise_open_files() -> int:
    """Let this process have as many files open as the system allows it, up to a bound, and return how many."""
    if resource is None:
        return _WANTED_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
