"""Small batches are committed by the loop itself, unless that could make it wait."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import pytest

from switchroom.server.store import EventQuery, Retention, SqliteStore
from switchroom.server.store.sqlite.batch import Results
from switchroom.server.store.sqlite.committer import Committer
from switchroom.server.store.sqlite.items import Item
from tests.support.stores import OpenSqlite, make_event, make_record

pytestmark = pytest.mark.anyio

WRITER = "switchroom.server.store.sqlite.writer"


class Commits:
    """How many rows each way committed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.light = self.by_thread = 0
        lightly, commit = Committer.commit_lightly, Committer.commit

        def counted_lightly(committer: Committer, items: Sequence[Item]) -> Results:
            results = lightly(committer, items)
            self.light += len(items)
            return results

        def counted(committer: Committer, items: Sequence[Item], apply: Callable[[Sequence[Item]], Results]) -> Results:
            results = commit(committer, items, apply)
            self.by_thread += len(items)
            return results

        monkeypatch.setattr(Committer, "commit_lightly", counted_lightly)
        monkeypatch.setattr(Committer, "commit", counted)


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> Commits:
    return Commits(monkeypatch)


async def test_one_write_wakes_no_thread(sqlite_store: SqliteStore, commits: Commits) -> None:
    await sqlite_store.events.append(1, make_event(1))
    assert (commits.light, commits.by_thread) == (1, 0)


async def test_many_writes_at_once_are_the_threads(sqlite_store: SqliteStore, commits: Commits) -> None:
    await asyncio.gather(*(sqlite_store.events.append(1, make_event(seq)) for seq in range(1, 201)))
    assert (commits.light, commits.by_thread) == (0, 200)


async def test_a_large_write_is_the_threads(sqlite_store: SqliteStore, commits: Commits) -> None:
    payload = f'"{"x" * 1_000_000}"'
    await sqlite_store.events.append(1, make_event(1, payload=payload)._replace(size_bytes=len(payload)))
    assert (commits.light, commits.by_thread) == (0, 1)


async def test_many_session_rows_at_once_are_the_threads(sqlite_store: SqliteStore, commits: Commits) -> None:
    await sqlite_store.sessions.save_many([make_record(number) for number in range(1, 5)])
    assert (commits.light, commits.by_thread) == (1, 0)
    await sqlite_store.sessions.save_many([make_record(number) for number in range(1, 101)])
    assert (commits.light, commits.by_thread) == (1, 1)


async def test_a_commit_that_is_synced_is_the_threads(open_sqlite: OpenSqlite, commits: Commits) -> None:
    store = await open_sqlite(is_always_synced=True)
    await store.events.append(1, make_event(1))
    assert (commits.light, commits.by_thread) == (0, 1)


async def test_a_commit_that_waited_leaves_the_next_ones_to_the_thread(
    sqlite_store: SqliteStore, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{WRITER}._SLOW_SECONDS", 0.0)
    await sqlite_store.events.append(1, make_event(1))
    await sqlite_store.events.append(1, make_event(2))
    assert (commits.light, commits.by_thread) == (1, 1)


async def test_another_programs_lock_makes_the_thread_wait_and_never_the_loop(
    sqlite_store: SqliteStore, database: Path, commits: Commits
) -> None:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    appended = sqlite_store.events.append(1, make_event(1))
    before = time.monotonic()
    for _ in range(10):
        await asyncio.sleep(0)
    assert time.monotonic() - before < 0.5  # SQLite itself would wait for a second
    other.execute("ROLLBACK")
    other.close()
    await appended
    assert (commits.light, commits.by_thread) == (0, 1)


async def test_order_is_kept_when_both_ways_take_turns(sqlite_store: SqliteStore, commits: Commits) -> None:
    seq = 0
    for size in (1, 100, 1, 3, 80, 1):
        appended = [sqlite_store.events.append(1, make_event(seq := seq + 1)) for _ in range(size)]
        await asyncio.sleep(0)
        appended.append(sqlite_store.events.append(1, make_event(seq := seq + 1)))
        await asyncio.gather(*appended)
    page = await sqlite_store.events.read(1, EventQuery(limit=500))
    assert [event.seq for event in page.events] == list(range(1, seq + 1))
    assert commits.light and commits.by_thread


async def test_a_long_log_is_cut_back_although_only_the_loop_commits(open_sqlite: OpenSqlite) -> None:
    store = await open_sqlite(retention=Retention(max_events=1_000))
    for start in range(1, 1_001, 50):
        await asyncio.gather(*(store.events.append(1, make_event(seq)) for seq in range(start, start + 50)))
    for seq in range(1_001, 1_300):
        await store.events.append(1, make_event(seq))
    with anyio.fail_after(10):
        while (await store.events.read(1, EventQuery(limit=1))).events[0].seq < 200:
            await anyio.sleep(0.02)


async def test_what_was_committed_reaches_the_file_itself(
    sqlite_store: SqliteStore, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switchroom.server.store.sqlite.committer._CHECKPOINT_BYTES", 100_000)

    def in_file() -> int:
        connection = sqlite3.connect(f"{database.as_uri()}?immutable=1", uri=True)  # past the write-ahead log
        try:
            return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])
        except sqlite3.DatabaseError:  # caught in the middle of a checkpoint
            return 0
        finally:
            connection.close()

    for seq in range(1, 51):
        await sqlite_store.events.append(1, make_event(seq))
    with anyio.fail_after(10):
        while in_file() < 40:
            await anyio.sleep(0.02)
