"""The audit chain finds every change made behind its back, and its key is guarded."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from switchroom.server.errors import StartupError
from switchroom.server.store import SqliteStore
from switchroom.server.store.base import AuditRecord
from tests.support.stores import ADA, OpenSqlite

pytestmark = pytest.mark.anyio

ROWS = 8


async def fill(store: SqliteStore, count: int = ROWS) -> None:
    for number in range(count):
        await store.audit.record(AuditRecord(f"A{number}", "intent", ADA, "expire", "state:live", "why"))


def change(database: Path, statement: str) -> None:
    connection = sqlite3.connect(database)
    connection.executescript(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "first_broken"),
    [
        ("UPDATE audit SET actor = 'eve' WHERE id = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE id = 1", 1),
        ("UPDATE audit SET detail = '{ }' WHERE id = 8", 8),
        ("UPDATE audit SET hash = zeroblob(32) WHERE id = 5", 5),
        ("DELETE FROM audit WHERE id = 4", 4),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id > 6", 7),
        ("DELETE FROM audit", 1),
        ("DELETE FROM audit WHERE id = 8; DELETE FROM meta WHERE name = 'audit_head'", 7),
        ("UPDATE audit SET id = -id; UPDATE audit SET id = 9 + id", 1),
        ("UPDATE audit SET id = 100 WHERE id = 5; UPDATE audit SET id = 5 WHERE id = 6", 5),
        ("INSERT INTO audit SELECT 9, at, 'X', phase, actor, role, kind, address, action, target, reason, outcome,"
         " detail, hash, hash FROM audit WHERE id = 8", 9),
    ],
)  # fmt: skip
async def test_the_chain_finds_a_change(
    open_sqlite: OpenSqlite, database: Path, statement: str, first_broken: int
) -> None:
    store = await open_sqlite()
    await fill(store)
    assert await store.audit.verify() is None
    change(database, statement)
    assert await store.audit.verify() == first_broken


async def test_rows_written_after_a_cut_do_not_hide_it(open_sqlite: OpenSqlite, database: Path) -> None:
    store = await open_sqlite()
    await fill(store)
    change(database, "DELETE FROM audit WHERE id > 6")
    await fill(store, 3)
    assert await store.audit.verify() == 7


async def test_a_row_slipped_in_at_the_end_does_not_stop_the_log(open_sqlite: OpenSqlite, database: Path) -> None:
    store = await open_sqlite()
    await fill(store)
    change(
        database,
        "INSERT INTO audit SELECT 9, at, 'X', phase, actor, role, kind, address, action, target, reason, outcome,"
        " detail, hash, hash FROM audit WHERE id = 8",
    )
    await fill(store, 1)
    assert await store.audit.verify() == 9


async def test_the_chain_goes_on_over_a_restart(open_sqlite: OpenSqlite, database: Path) -> None:
    for _ in range(3):
        store = await open_sqlite()
        await fill(store)
        await store.close()
    store = await open_sqlite()
    assert await store.audit.verify() is None


def key_of(database: Path) -> Path:
    return database.with_name("switchroom.db.audit-key")


async def test_the_key_is_made_beside_the_database_for_its_owner_alone(
    sqlite_store: SqliteStore, database: Path
) -> None:
    await fill(sqlite_store, 1)
    check_key(key_of(database))


def check_key(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and len(bytes.fromhex(path.read_text())) == 32


async def test_another_key_does_not_vouch_for_the_rows(open_sqlite: OpenSqlite, database: Path) -> None:
    store = await open_sqlite()
    await fill(store)
    await store.close()
    os.unlink(key_of(database))
    store = await open_sqlite()
    assert await store.audit.verify() == 1


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        ("00" * 32, 0o644, "can be read by others"),
        ("00" * 31, 0o600, "damaged"),
        ("not hexadecimal", 0o600, "cannot be read"),
    ],
)
async def test_a_key_file_that_cannot_be_used_is_refused(database: Path, content: str, mode: int, message: str) -> None:
    key = database.with_name("elsewhere.key")
    key.write_text(content)
    key.chmod(mode)
    store = SqliteStore(database, audit_key_path=key)
    with pytest.raises(StartupError, match=message):
        await store.open()


async def test_where_the_chain_ends_is_logged_when_the_store_opens_and_closes(
    open_sqlite: OpenSqlite, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="switchroom"):
        store = await open_sqlite()
        await fill(store)
        await store.close()
        closed = [record.getMessage() for record in caplog.records if "audit log ends" in record.getMessage()]
        again = await open_sqlite()
        await again.close()
    connection = sqlite3.connect(database)
    ((head,),) = connection.execute("SELECT hex(hash) FROM audit WHERE id = ?", (ROWS,)).fetchall()
    connection.close()
    assert closed == [f"the audit log ends at row {ROWS} with hash {head.lower()}"]
    told = [record.getMessage() for record in caplog.records if "audit log ends" in record.getMessage()]
    assert told == closed * 3
