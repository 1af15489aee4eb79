"""The SQLite engine's writer: grouping, durability, bounded waits, retries and healing."""

from __future__ import annotations

import asyncio
import logging
import resource
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from switchroom.server.errors import Overloaded, StoreUnavailable
from switchroom.server.store import EventQuery, KeyLimits, Retention, SqliteStore
from switchroom.server.store.base import AuditRecord
from tests.support.stores import ADA, START, OpenSqlite, make_broadcast, make_event, make_record, named

pytestmark = pytest.mark.anyio

QUEUE = "switchroom.server.store.sqlite.queue"


@contextmanager
def locked(database: Path) -> Generator[None]:
    """Hold the write lock as another program would."""
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def no_room(database: Path) -> Generator[None]:
    """Let no file grow beyond what the log has now, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(Path(f"{database}{suffix}").stat().st_size for suffix in ("", "-wal"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.sleep(0.005)


def meta(database: Path, name: str) -> object:
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    connection.close()
    return row[0] if row is not None else None


async def test_writes_that_wait_together_are_committed_together(sqlite_store: SqliteStore) -> None:
    before = sqlite_store.commits
    await asyncio.gather(*(sqlite_store.events.append(1, make_event(seq)) for seq in range(1, 2_001)))
    assert sqlite_store.commits - before < 40


async def test_saves_that_wait_together_are_one_row(sqlite_store: SqliteStore, database: Path) -> None:
    with locked(database):
        first = sqlite_store.events.append(1, make_event(1))
        saves = [sqlite_store.sessions.save(make_record(1, request_count=count)) for count in range(1_000)]
        assert sqlite_store.health().queued <= 3
    await asyncio.gather(first, *saves)
    assert (await sqlite_store.sessions.load_live())[0].request_count == 999


async def test_the_last_write_is_synced_soon_after(sqlite_store: SqliteStore, database: Path) -> None:
    await sqlite_store.events.append(1, make_event(1))
    await until(lambda: meta(database, "synced_at") is not None)


async def test_a_locked_database_bounds_the_wait_and_heals(
    sqlite_store: SqliteStore, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{QUEUE}.ACKNOWLEDGE_SECONDS", 0.2)
    tail = sqlite_store.events.tail(1, 0)
    with locked(database):
        futures = [sqlite_store.events.append(1, make_event(seq)) for seq in range(1, 6)]
        save = sqlite_store.sessions.save(make_record(1))
        with anyio.fail_after(5):
            for future in [*futures, save]:
                with pytest.raises(StoreUnavailable, match="did not acknowledge"):
                    await future
            with pytest.raises(StoreUnavailable):
                await sqlite_store.keys.put(1, "k", "1", size_bytes=1, limits=KeyLimits())
            with pytest.raises(StoreUnavailable):
                await sqlite_store.broadcasts.create(make_broadcast("B1"), named(["s1"]))
        health = sqlite_store.health()
        assert not health.is_ok and health.queued > 0
        assert (await sqlite_store.events.read(1, EventQuery())).events == []
        await until(lambda: sqlite_store.health().failed_commits > 0)
        assert "locked" in sqlite_store.health().message
    assert [event.seq for event in await tail.read()] == [1, 2, 3, 4, 5]
    await sqlite_store.events.append(1, make_event(6))
    assert sqlite_store.health().is_ok and sqlite_store.health().queued == 0
    page = await sqlite_store.events.read(1, EventQuery())
    assert [event.seq for event in page.events] == [1, 2, 3, 4, 5, 6]
    assert len(await sqlite_store.sessions.load_live()) == 1
    # Whoever was refused is not surprised by a write that happens later after all.
    assert await sqlite_store.keys.list(1) == []
    assert await sqlite_store.broadcasts.list() == []


async def test_saves_that_keep_coming_do_not_make_others_wait_longer(
    sqlite_store: SqliteStore, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{QUEUE}.ACKNOWLEDGE_SECONDS", 0.2)
    with locked(database):
        first = sqlite_store.events.append(1, make_event(1))
        await until(lambda: sqlite_store.health().failed_commits > 0)
        saves = [sqlite_store.sessions.save(make_record(1))]
        second = sqlite_store.events.append(1, make_event(2))

        def is_refused() -> bool:
            saves.append(sqlite_store.sessions.save(make_record(1)))
            return second.done()

        await until(is_refused)
        assert not saves[-1].done()
    await asyncio.gather(first, second, *saves[:-1], return_exceptions=True)
    await saves[-1]


async def test_receipts_are_kept_although_nobody_waits_for_them(
    sqlite_store: SqliteStore, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{QUEUE}.ACKNOWLEDGE_SECONDS", 0.1)
    await sqlite_store.broadcasts.create(make_broadcast("B1"), named(["s1"]))
    with locked(database):
        refused = sqlite_store.broadcasts.set_status("B1", "stopped")
        with pytest.raises(StoreUnavailable):
            await refused
    await sqlite_store.events.append(1, make_event(1))
    broadcast = await sqlite_store.broadcasts.get("B1")
    assert broadcast is not None and broadcast.status == "stopped"


async def test_a_disk_without_room_keeps_rows_in_order_until_there_is_some(
    sqlite_store: SqliteStore, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{QUEUE}.ACKNOWLEDGE_SECONDS", 0.2)
    await sqlite_store.events.append(1, make_event(1))
    payload = '"' + "x" * 50_000 + '"'
    with no_room(database):
        futures = [sqlite_store.events.append(1, make_event(seq, payload=payload)) for seq in range(2, 30)]
        with anyio.fail_after(10):
            results = await asyncio.gather(*futures, return_exceptions=True)
        assert any(isinstance(result, StoreUnavailable) for result in results)
        assert not sqlite_store.health().is_ok
        assert len((await sqlite_store.events.read(1, EventQuery())).events) >= 1
    await until(lambda: sqlite_store.health().is_ok and sqlite_store.health().queued == 0)
    page = await sqlite_store.events.read(1, EventQuery())
    assert [event.seq for event in page.events] == list(range(1, 30))


async def test_a_sweep_gets_through_while_commits_fail(
    open_sqlite: OpenSqlite, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{QUEUE}.ACKNOWLEDGE_SECONDS", 0.2)
    store = await open_sqlite(Retention(max_age_seconds=100))
    await asyncio.gather(*(store.events.append(1, make_event(seq)) for seq in range(1, 201)))
    with no_room(database):
        stuck = store.events.append(2, make_event(1, at=START + 900, payload='"' + "x" * 500_000 + '"'))
        with pytest.raises(StoreUnavailable):
            await stuck
        with anyio.fail_after(10):
            assert await store.sessions.sweep(START + 900) == 200
    await until(lambda: store.health().is_ok)
    assert (await store.events.read(1, EventQuery())).dropped >= 0


async def test_a_full_queue_refuses_at_once_and_takes_the_number_again(
    sqlite_store: SqliteStore, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{QUEUE}.MAX_QUEUED", 10)
    with locked(database):
        futures = [sqlite_store.events.append(1, make_event(seq)) for seq in range(1, 11)]
        with pytest.raises(Overloaded):
            sqlite_store.events.append(1, make_event(11))
        with pytest.raises(Overloaded):
            sqlite_store.events.write(1, make_event(11))
        with pytest.raises(Overloaded):
            await sqlite_store.keys.delete(1, "k")
    await asyncio.gather(*futures)
    await sqlite_store.events.append(1, make_event(11))
    page = await sqlite_store.events.read(1, EventQuery())
    assert [event.seq for event in page.events] == list(range(1, 12))


async def test_a_queue_full_of_bytes_refuses_as_well(
    sqlite_store: SqliteStore, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{QUEUE}.MAX_QUEUED_BYTES", 10_000)
    with locked(database):
        future = sqlite_store.events.append(1, make_event(1, payload='"' + "x" * 20_000 + '"'))
        with pytest.raises(Overloaded):
            sqlite_store.events.append(1, make_event(2))
    await future
    await sqlite_store.events.append(1, make_event(2))


async def test_a_row_that_can_never_be_kept_is_refused_alone(
    sqlite_store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    tail = sqlite_store.events.tail(1, 0)
    with caplog.at_level(logging.WARNING):
        good = sqlite_store.events.append(1, make_event(1))
        impossible = sqlite_store.events.append(2, make_event(1, size_bytes=2**70))
        double = sqlite_store.events.append(1, make_event(1, method="again"))
        key = asyncio.ensure_future(sqlite_store.keys.put(1, "k", "1", size_bytes=1, limits=KeyLimits()))
        after = sqlite_store.events.append(1, make_event(2))
        results = await asyncio.gather(good, impossible, double, key, after, return_exceptions=True)
    assert [isinstance(result, StoreUnavailable) for result in results] == [False, True, True, False, False]
    assert [event.method for event in await tail.read()] == ["tools/call", "tools/call"]
    assert sqlite_store.health().is_ok
    assert "refused by the database" in caplog.text


async def test_an_error_that_nobody_awaits_is_not_reported_by_the_loop(
    sqlite_store: SqliteStore, database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(f"{QUEUE}.ACKNOWLEDGE_SECONDS", 0.1)
    with caplog.at_level(logging.ERROR, logger="asyncio"), locked(database):
        future = sqlite_store.events.append(1, make_event(1))
        await until(future.done)
        del future
    assert not caplog.records


async def test_closing_while_writing_fails_gives_up_in_time(
    open_sqlite: OpenSqlite, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switchroom.server.store.sqlite.writer._CLOSE_SECONDS", 0.2)
    store = await open_sqlite()
    with locked(database):
        future = store.events.append(1, make_event(1))
        with anyio.fail_after(8):
            await store.close()
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await future


async def test_a_closed_store_refuses_everything(open_sqlite: OpenSqlite) -> None:
    store = await open_sqlite()
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable):
        store.events.append(1, make_event(1))
    for refused in (
        store.sessions.save(make_record(1)),
        store.keys.list(1),
        store.keys.delete(1, "k"),
        store.sessions.sweep(START),
        store.audit.record(AuditRecord("A", "intent", ADA, "", "")),
    ):
        with pytest.raises(StoreUnavailable):
            await refused
    assert not store.health().is_ok
