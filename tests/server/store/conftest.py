"""Every engine, opened for one test, and the rows that tests put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol

import pytest

from switchroom.server.models import (
    Actor,
    Broadcast,
    Direction,
    Event,
    EventKind,
    Role,
    SessionKind,
    SessionRecord,
    SessionState,
)
from switchroom.server.store import MemoryStore, Retention, SqliteStore, Store

START = 1_700_000_000.0


class Clock:
    """A wall clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class MakeEvent(Protocol):
    def __call__(self, seq: int, **values: Any) -> Event: ...


class MakeRecord(Protocol):
    def __call__(self, no: int, **values: Any) -> SessionRecord: ...


class MakeBroadcast(Protocol):
    def __call__(self, name: str, **values: Any) -> Broadcast: ...


OpenStore = Callable[..., Coroutine[Any, Any, Store]]
OpenSqlite = Callable[..., Coroutine[Any, Any, SqliteStore]]


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
async def open_engine(
    request: pytest.FixtureRequest, open_sqlite: OpenSqlite, clock: Clock
) -> AsyncIterator[OpenStore]:
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
async def store(open_engine: OpenStore) -> Store:
    return await open_engine()


@pytest.fixture
async def sqlite_store(open_sqlite: OpenSqlite) -> SqliteStore:
    return await open_sqlite()


@pytest.fixture
def make_event() -> MakeEvent:
    def make(seq: int, **values: Any) -> Event:
        event = Event(seq, 1, START + seq, Direction.FROM_CLIENT, EventKind.REQUEST, "tools/call", None, str(seq))
        return event._replace(**values)

    return make


@pytest.fixture
def make_record() -> MakeRecord:
    def make(no: int, **values: Any) -> SessionRecord:
        record = SessionRecord(
            no=no,
            id=f"SESSION{no:06}",
            kind=SessionKind.STREAMABLE_HTTP,
            state=SessionState.INITIALIZED,
            server="everything",
            worker_id="w1",
            created_at=START,
            last_activity_at=START,
        )
        for name, value in values.items():
            setattr(record, name, value)
        return record

    return make


@pytest.fixture
def make_broadcast() -> MakeBroadcast:
    def make(name: str, **values: Any) -> Broadcast:
        given: dict[str, Any] = {
            "id": name,
            "created_at": START,
            "actor": "ada",
            "text": "Restarting at noon",
            "level": "info",
            "filter": "state:live",
            "exclude": "",
            "status": "sending",
            "audience": 0,
            "counts": {},
            "expires_at": START + 600,
        }
        return Broadcast(**(given | values))

    return make


@pytest.fixture
def actor() -> Actor:
    return Actor("ada", Role.OPERATOR, address="192.0.2.7")
