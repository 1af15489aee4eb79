"""What a SQLite file holds after it was closed and opened again, and how it is read meanwhile."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from switchroom.server.errors import StoreUnavailable
from switchroom.server.models import Direction
from switchroom.server.store import EventQuery, KeyLimits, Retention, SqliteStore
from tests.support.stores import OpenSqlite, make_event, make_record

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("is_always_synced", [False, True])
async def test_what_was_written_is_there_after_reopening(open_sqlite: OpenSqlite, is_always_synced: bool) -> None:
    store = await open_sqlite(is_always_synced=is_always_synced)
    numbers = [store.sessions.allocate() for _ in range(3)]
    store.sessions.save_many([make_record(no) for no in numbers])
    for seq in range(1, 101):
        store.events.append(numbers[0], make_event(seq))
    await store.keys.put(numbers[0], "k", "1", size_bytes=1, limits=KeyLimits())
    await store.close()
    again = await open_sqlite()
    assert [record.no for record in await again.sessions.load_live()] == numbers
    assert len((await again.events.read(numbers[0], EventQuery(limit=1_000))).events) == 100
    assert again.sessions.allocate() > numbers[-1]
    assert len(await again.keys.list(numbers[0])) == 1


async def test_a_number_is_not_used_again_after_its_session_was_removed(open_sqlite: OpenSqlite) -> None:
    store = await open_sqlite(Retention(rejected_session_seconds=1))
    number = [store.sessions.allocate() for _ in range(50)][-1]
    await store.close()
    again = await open_sqlite()
    assert again.sessions.allocate() > number


async def test_a_log_grows_on_after_reopening_within_its_bounds(open_sqlite: OpenSqlite) -> None:
    seq = 0
    for _ in range(4):
        store = await open_sqlite(Retention(max_events=100, max_bytes=40_000))
        for _ in range(120):
            seq += 1
            store.events.append(1, make_event(seq, payload='"' + "x" * 300 + '"'))
        await store.close()
    store = await open_sqlite()
    page = await store.events.read(1, EventQuery(limit=1_000))
    assert 60 <= len(page.events) <= 164 and page.events[-1].seq == seq and page.dropped == seq - len(page.events)


async def test_closing_commits_what_is_queued(open_sqlite: OpenSqlite) -> None:
    store = await open_sqlite()
    futures = [store.events.append(1, make_event(seq)) for seq in range(1, 501)]
    await store.close()
    assert all(future.done() and future.exception() is None for future in futures)


async def test_closing_commits_what_nobody_waits_for(open_sqlite: OpenSqlite) -> None:
    store = await open_sqlite()
    store.events.write(1, make_event(1))
    store.events.write(1, make_event(2))
    await store.close()
    again = await open_sqlite()
    assert [event.seq for event in (await again.events.read(1, EventQuery())).events] == [1, 2]


async def test_a_read_that_takes_too_long_is_given_up(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("switchroom.server.store.sqlite.readers.READ_SECONDS", 0.0)
        with pytest.raises(StoreUnavailable, match="could not be read within"):
            await sqlite_store.events.read(1, EventQuery())
    assert (await sqlite_store.events.read(1, EventQuery())).events == []


async def test_a_file_that_cannot_be_read_is_an_error_with_a_code(sqlite_store: SqliteStore, database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("DROP TABLE kv")
    connection.close()
    with pytest.raises(StoreUnavailable, match="could not be read: no such table"):
        await sqlite_store.keys.list(1)
    assert (await sqlite_store.events.read(1, EventQuery())).events == []


async def test_a_stream_is_within_its_bounds_after_reopening_too(open_sqlite: OpenSqlite) -> None:
    bounds = Retention(max_events=400, max_stream_events=100)
    seq = 0
    for _ in range(4):
        store = await open_sqlite(bounds)
        for _ in range(90):
            store.events.append(1, make_event(seq + 1))
            store.events.append(1, make_event(seq + 2, direction=Direction.FROM_SERVER, stream=0))
            seq += 2
        await store.close()
    store = await open_sqlite(bounds)
    page = await store.events.read(1, EventQuery(limit=1_000))
    kept = [event.seq for event in page.events if event.stream == 0]
    assert 100 <= len(kept) <= 117 and kept[-1] == seq
    assert len(page.events) - len(kept) == 360, "nothing else was cut back for it"
    for _ in range(200):
        seq += 1
        store.events.append(1, make_event(seq))
    await store.events.append(1, make_event(seq + 1))
    page = await store.events.read(1, EventQuery(limit=1_000))
    assert 400 <= len(page.events) <= 500 and page.events[-1].seq == seq + 1
