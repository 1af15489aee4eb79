"""Clients that stop sending, or never read. They are cut, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import psutil
import pytest

from tests.security.conftest import TARGET
from tests.support.processes import Served, serving
from tests.support.raw import RawConnection, raw_connection
from tests.support.servers import eventually
from tests.support.wire import Json, Wire, client, initialize_message, session, text_of

pytestmark = pytest.mark.anyio

QUICK = {"head_seconds": 1, "body_seconds": 1, "send_timeout_seconds": 1}
"""The same bounds as by default, sooner."""

BODY = json.dumps(initialize_message()).encode()
HEAD = (
    b"POST /mcp HTTP/1.1\r\nhost: localhost:1\r\ncontent-type: application/json\r\n"
    b"accept: application/json, text/event-stream\r\n"
)
MODERN = b"mcp-protocol-version: 2026-07-28\r\n"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose patience is a second."""
    with serving(tmp_path_factory.mktemp("hasty"), f"{TARGET}:plain", **QUICK) as served:
        yield served


HALVES = {
    "nothing at all": b"",
    "half a request line": b"POST /mc",
    "half a head": HEAD,
    "a head that ends within its end": HEAD + b"content-length: 2\r\n\r",
    "half a body": HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY[:20],
    "half a body of the newer era": HEAD + MODERN + b"content-length: %d\r\n\r\n" % len(BODY) + BODY[:20],
    "half a chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{" + b'"a',
    "half a body of the console": b"POST /admin/login HTTP/1.1\r\nhost: localhost:1\r\nsec-fetch-site: same-origin\r\n"
    b"content-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\noperator=",
    "a body that nobody asked for": b"GET /healthz HTTP/1.1\r\nhost: localhost:1\r\ncontent-length: 1000\r\n\r\nxx",
}


@pytest.mark.parametrize("sent", HALVES.values(), ids=HALVES)
async def test_a_request_that_is_never_finished_is_closed(hasty: Served, sent: bytes) -> None:
    async with raw_connection(hasty.base) as raw:
        started = time.monotonic()
        if sent:
            await raw.send(sent)
        await raw.read_to_end(within=8)
        assert time.monotonic() - started < 8


async def trickle(raw: RawConnection, byte: bytes) -> None:
    """Send a byte twenty times a second until the connection is gone, for ten seconds at most."""
    for _ in range(200):
        await raw.send(byte)
        await asyncio.sleep(0.05)


async def test_a_head_that_trickles_in_is_closed_all_the_same(hasty: Served) -> None:
    async with raw_connection(hasty.base) as raw:
        started = time.monotonic()
        with pytest.raises(ConnectionError):
            await trickle(raw, b"G")
        assert 0.5 < time.monotonic() - started < 5


async def test_a_body_that_trickles_in_after_its_answer_is_closed_all_the_same(hasty: Served) -> None:
    async with raw_connection(hasty.base) as raw:
        await raw.send(b"GET /healthz HTTP/1.1\r\nhost: localhost:1\r\ncontent-length: 1000\r\n\r\n")
        await raw.read_until(b"ok")
        started = time.monotonic()
        with pytest.raises(ConnectionError):
            await trickle(raw, b"x")
        assert time.monotonic() - started < 5


async def test_two_hundred_half_sent_requests_keep_nobody_waiting(hasty: Served) -> None:
    halves = [await asyncio.open_connection("127.0.0.1", hasty.port) for _ in range(200)]
    for number, (_, writer) in enumerate(halves):
        writer.write([HEAD, HEAD + b"content-length: 100\r\n\r\n{", b"x"][number % 3])
    async with session(hasty.mcp) as wire:
        for _ in range(20):
            started = time.monotonic()
            assert text_of((await wire.call("echo", text="me too")).last) == "me too"
            assert time.monotonic() - started < 1
    async with asyncio.timeout(10):
        await asyncio.gather(*(reader.read() for reader, _ in halves), return_exceptions=True)
    for _, writer in halves:
        writer.transport.abort()


async def test_a_client_that_takes_its_time_between_requests_is_served(hasty: Served) -> None:
    async with session(hasty.mcp) as wire, raw_connection(hasty.base) as slower:
        await slower.send(HEAD)
        await slower.read_to_end(within=8)  # by now the patience for a head that has begun is over
        assert text_of((await wire.call("echo", text="back")).last) == "back"


async def test_a_call_may_take_longer_than_any_of_these_bounds(hasty: Served) -> None:
    async with session(hasty.mcp) as wire:
        assert text_of((await wire.call("pause", seconds=2.5)).last) == "rested"


async def test_an_answer_that_is_never_read_does_not_keep_its_connection(hasty: Served) -> None:
    async with client(hasty.mcp) as wire:
        await wire.initialize()
        with open_unread(hasty.port, wire, wire.call_message("echo", text="x" * 4_000_000)) as unread:
            connection = psutil.Process(hasty.process.pid)
            mine = unread.getsockname()[1]
            await eventually(lambda: mine not in peers(connection), within=15)


def peers(process: psutil.Process) -> set[int]:
    """Return the ports that a process's established connections lead to."""
    return {each.raddr.port for each in process.net_connections("tcp") if each.raddr and each.status == "ESTABLISHED"}


async def test_fifty_streams_that_are_never_read_cost_little_and_others_nothing(plain: Served) -> None:
    """Each call emits 6 MB: first into streams that are read, which fills the caches, then into unread ones."""
    memory = psutil.Process(plain.process.pid)
    async with AsyncExitStack() as stack:
        honest = await stack.enter_async_context(session(plain.mcp))
        wires = [await stack.enter_async_context(session(plain.mcp)) for _ in range(50)]
        for wire in wires:
            assert (await wire.call("emit", count=60, size=100_000)).status == 200
        before = memory.memory_info().rss
        for wire in wires:
            message = wire.call_message("emit", count=60, size=100_000)
            stack.enter_context(open_unread(plain.port, wire, message))
        times: list[float] = []
        for _ in range(100):
            started = time.monotonic()
            assert text_of((await honest.call("echo", text="hi")).last) == "hi"
            times.append(time.monotonic() - started)
        grown = memory.memory_info().rss - before
    assert sorted(times)[94] < 0.5, sorted(times)[-10:]
    # Each call may be 256 KiB ahead of its reader before it waits, by `high_water_bytes`; the rest are connections.
    assert grown < 80_000_000, f"{grown:,} bytes"


async def test_fifty_standalone_streams_that_are_never_read_are_cut(hasty: Served) -> None:
    memory = psutil.Process(hasty.process.pid)
    async with AsyncExitStack() as stack:
        honest = await stack.enter_async_context(session(hasty.mcp))
        wires = [await stack.enter_async_context(session(hasty.mcp)) for _ in range(50)]
        for _ in range(20):  # fills the caches
            await asyncio.gather(*(wire.call("tell", text="x" * 100_000) for wire in wires))
        before = memory.memory_info().rss
        unread = [stack.enter_context(open_unread(hasty.port, wire)) for wire in wires]
        times: list[float] = []
        for _ in range(20):
            await asyncio.gather(*(wire.call("tell", text="x" * 100_000) for wire in wires))
            started = time.monotonic()
            assert text_of((await honest.call("echo", text="hi")).last) == "hi"
            times.append(time.monotonic() - started)
        grown = memory.memory_info().rss - before
        assert sorted(times)[18] < 0.2, times
        assert grown < 50_000_000, f"{grown:,} bytes"
        mine = {each.getsockname()[1] for each in unread}
        await eventually(lambda: not mine & peers(memory), within=20)
        assert text_of((await wires[0].call("echo", text="still mine")).last) == "still mine"


def open_unread(port: int, wire: Wire, message: Json | None = None) -> socket.socket:
    """Send a request, or open the standalone stream, on a connection whose answer nobody will read."""
    body = b"" if message is None else json.dumps(message).encode()
    method = "GET" if message is None else "POST"
    head = "".join(f"{name}: {value}\r\n" for name, value in wire.headers({"host": f"127.0.0.1:{port}"}).items())
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.connect(("127.0.0.1", port))
    opened.sendall(f"{method} /mcp HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    return opened
