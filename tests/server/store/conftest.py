"""Every engine, opened for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switchroom.server.store import Retention, SqliteStore, Store
from switchroom.server.store.memory import MemoryStore
from tests.support.stores import Clock, OpenSqlite, OpenStore


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "switchroom.db"


@pytest.fixture
async def open_sqlite(database: Path, clock: Clock) -> AsyncIterator[OpenSqlite]:
    """Open the test's database, as often as it likes; every store is closed at the end."""
    opened: list[SqliteStore] = []

    async def open_one(retention: Retention | None = None, *, is_always_synced: bool = False) -> SqliteStore:
        store = SqliteStore(database, retention=retention, is_always_synced=is_always_synced, clock=clock)
        await store.open()
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture(params=["memory", "sqlite"])
async def open_store(request: pytest.FixtureRequest, open_sqlite: OpenSqlite, clock: Clock) -> AsyncIterator[OpenStore]:
    """Open one of the engines: whoever asks for this runs once with each."""
    opened: list[Store] = []

    async def open_one(retention: Retention | None = None) -> Store:
        if request.param == "sqlite":
            return await open_sqlite(retention)
        store = MemoryStore(retention=retention, clock=clock)
        await store.open()
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    return await open_store()


@pytest.fixture
async def sqlite_store(open_sqlite: OpenSqlite) -> SqliteStore:
    return await open_sqlite()
