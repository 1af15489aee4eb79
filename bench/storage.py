"""The event log alone: appends that wait for their commit, beside the usual ways to write a log."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from statistics import median

from bench.section import Ratio, Section, Table
from switchroom.server.models import Direction, Event, EventKind, SessionKind, SessionRecord, SessionState
from switchroom.server.store import SqliteStore
from switchroom.server.store.base import EventQuery

WRITERS = (1, 16, 256)
PAYLOAD = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"%s"}}' % ("x" * 420)
READ_EVENTS = 100
BATCH = 64

METHOD = f"""\
Each writer appends an event of {len(PAYLOAD)} bytes to a session of its own and waits for the commit before the next
one; a figure is the median of the rounds. "Commit per event" is what the session-management guide's event store does,
with `synchronous = FULL`, in a thread so that the loop is not blocked. "A bare batch loop" is the
least that keeps the same promise: a thread that inserts what has queued up into a table like ours, commits, and wakes
those who wait; no ids, no bounds, no followers, no retries. "Nobody waiting" is SQLite alone, inserting the same rows
and committing every {BATCH}. Reading is a page
of {READ_EVENTS} events after a cursor, while 16 writers append."""

BARE_BATCH = "a bare batch loop"
NOBODY = "nobody waiting"

Append = Callable[[int, int], Awaitable[object]]
"""(writer, how many before) -> acknowledged."""


def measure(folder: Path, rounds: int, seconds: float) -> Section:
    """Measure every way to append at every number of writers."""
    rates: dict[tuple[str, int], list[float]] = {}
    tails: dict[tuple[str, int], list[float]] = {}
    reads: list[float] = []
    bare: list[float] = []
    for number in range(rounds):
        place = folder / f"storage-{number}"
        place.mkdir()
        bare.append(_bare_loop(place / "bare.db", seconds))
        for writers in WRITERS:
            for title, run in WAYS:
                path = place / f"{title.replace(' ', '-')}-{writers}.db"
                outcome = asyncio.run(run(path, writers, seconds, title == "commit"))
                rates.setdefault((title, writers), []).append(outcome[0])
                tails.setdefault((title, writers), []).append(outcome[1])
        # In a run of its own: no other way to append has somebody reading beside it.
        reads += asyncio.run(_ours(place / "read.db", 16, seconds, False, is_read=True))[2]
        print(f"storage, round {number + 1}: bare loop {bare[-1]:,.0f}/s", file=sys.stderr)
    claims = [
        Ratio.of(rates["interval", writers], rates[BARE_BATCH, writers]).at_least(
            f"appends per second, {writers} writers, to a bare batch loop", 0.8
        )
        for writers in WRITERS
    ]
    rows = [
        (f"{title}, {writers} writers", f"{median(found):,.0f}", f"{median(tails[title, writers]):.2f}")
        for (title, writers), found in rates.items()
    ]
    rows.append((NOBODY, f"{median(bare):,.0f}", ""))
    reads.sort()
    table = Table("Acknowledged appends", ("", "events per second", "p99, ms"), rows)
    reading = Table(
        f"Reading {READ_EVENTS} events after a cursor, while 16 writers append",
        ("", "ms"),
        [("median", f"{median(reads):.2f}"), ("p99", f"{reads[int(len(reads) * 0.99)]:.2f}")],
    )
    settings = [f"{rounds} rounds of {seconds:g} s per way and number of writers"]
    return Section("storage", "The event log", claims, [table, reading], METHOD, settings)


def _event(seq: int) -> Event:
    return Event(
        seq,
        1,
        time.time(),
        Direction.FROM_SERVER,
        EventKind.NOTIFICATION,
        "notifications/message",
        0,
        size_bytes=len(PAYLOAD),
        payload=PAYLOAD,
    )


Outcome = tuple[float, float, list[float]]
"""Appends per second, their p99 in ms, and the ms of each page read meanwhile."""


async def _ours(path: Path, writers: int, seconds: float, is_always_synced: bool, *, is_read: bool = False) -> Outcome:
    store = SqliteStore(path, is_always_synced=is_always_synced)
    await store.open()
    numbers = [store.sessions.allocate() for _ in range(writers)]
    now = time.time()
    for no in numbers:
        record = SessionRecord(
            no, f"BENCH{no:08}", SessionKind.STREAMABLE_HTTP, SessionState.INITIALIZED, "bench", "w", now, now
        )
        await store.sessions.save(record)

    async def append(writer: int, before: int) -> None:
        await store.events.append(numbers[writer], _event(before + 1))

    async def read() -> None:
        await store.events.read(numbers[0], EventQuery(limit=READ_EVENTS))

    try:
        return await _drive(append, writers, seconds, read if is_read else None)
    finally:
        await store.close()


async def _per_event(path: Path, writers: int, seconds: float, _: bool) -> Outcome:
    """One INSERT and one commit per event, as the session-management guide's `DatabaseEventStore`."""
    with ThreadPoolExecutor(1) as thread:
        loop = asyncio.get_running_loop()
        connection = await loop.run_in_executor(thread, lambda: _guide_database(path))

        def insert(writer: int) -> None:
            row = (str(writer), PAYLOAD, time.time())
            connection.execute("INSERT INTO events (stream_id, message, timestamp) VALUES (?, ?, ?)", row)
            connection.commit()

        async def append(writer: int, before: int) -> None:
            await loop.run_in_executor(thread, insert, writer)

        outcome = await _drive(append, writers, seconds, None)
        await loop.run_in_executor(thread, connection.close)
        return outcome


async def _bare_batches(path: Path, writers: int, seconds: float, _: bool) -> Outcome:
    """Rows that queue up are committed together by a thread, which wakes those who wait; nothing else."""
    loop = asyncio.get_running_loop()
    queue: SimpleQueue[tuple[asyncio.Future[None], tuple[object, ...]] | None] = SimpleQueue()
    connection = _bare_database(path)

    def acknowledge(batch: list[tuple[asyncio.Future[None], tuple[object, ...]]]) -> None:
        for future, _row in batch:
            future.set_result(None)

    def commit() -> None:
        while (first := queue.get()) is not None:
            rest = [queue.get_nowait() for _ in range(queue.qsize())]
            batch = [first, *(each for each in rest if each is not None)]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_BARE_INSERT, [row for _, row in batch])
            connection.execute("COMMIT")
            loop.call_soon_threadsafe(acknowledge, batch)

    async def append(writer: int, before: int) -> None:
        future: asyncio.Future[None] = loop.create_future()
        queue.put((future, (writer, before, time.time(), len(PAYLOAD), PAYLOAD)))
        await future

    thread = asyncio.create_task(asyncio.to_thread(commit))
    outcome = await _drive(append, writers, seconds, None)
    queue.put(None)
    await thread
    connection.close()
    return outcome


def _guide_database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE events (event_id INTEGER PRIMARY KEY, stream_id TEXT, message TEXT, timestamp REAL)"
    )
    return connection


async def _drive(append: Append, writers: int, seconds: float, read: Callable[[], Awaitable[None]] | None) -> Outcome:
    waits: list[float] = []
    pages: list[float] = []
    end = time.perf_counter() + seconds

    async def write(writer: int) -> None:
        count = 0
        while (started := time.perf_counter()) < end:
            await append(writer, count)
            count += 1
            waits.append(time.perf_counter() - started)

    async def page() -> None:
        while read is not None and (started := time.perf_counter()) < end:
            await read()
            pages.append((time.perf_counter() - started) * 1000)
            await asyncio.sleep(0.005)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for writer in range(writers):
            tasks.create_task(write(writer))
        tasks.create_task(page())
    elapsed = time.perf_counter() - started
    waits.sort()
    return len(waits) / elapsed, waits[int(len(waits) * 0.99)] * 1000, pages


_BARE_INSERT = (
    "INSERT INTO event (session, epoch, seq, at, direction, kind, method, stream, size_bytes, payload) "
    "VALUES (?, 1, ?, ?, 1, 3, 'notifications/message', 0, ?, ?)"
)


def _bare_database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(
        "CREATE TABLE event (id INTEGER PRIMARY KEY, session INTEGER, epoch INTEGER, seq INTEGER, at REAL, "
        "direction INTEGER, kind INTEGER, method TEXT, stream INTEGER, size_bytes INTEGER, payload TEXT, "
        "UNIQUE (session, seq)) STRICT"
    )
    return connection


def _bare_loop(path: Path, seconds: float) -> float:
    """Return the rows per second of SQLite itself, with a table like ours and its index."""
    connection = _bare_database(path)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        rows = [((count + n) % 256, (count + n) // 256, time.time(), len(PAYLOAD), PAYLOAD) for n in range(BATCH)]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_BARE_INSERT, rows)
        connection.execute("COMMIT")
        count += BATCH
    rate = count / (time.perf_counter() - started)
    connection.close()
    return rate


WAYS = (("interval", _ours), ("commit", _ours), (BARE_BATCH, _bare_batches), ("commit per event", _per_event))
