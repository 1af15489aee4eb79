"""The SQLite engine's file: its lock, its schema, and every path that cannot be a database."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from switchroom.server.errors import StartupError
from switchroom.server.models import SessionRecord, history_of
from switchroom.server.store import SqliteStore, open_store
from switchroom.server.store.memory import MemoryStore
from switchroom.server.store.sqlite.records import COLUMNS, to_row
from switchroom.server.store.sqlite.statements import Migration, read_migrations
from tests.support.stores import START, OpenSqlite, make_ended, make_record

pytestmark = pytest.mark.anyio

MIGRATIONS = "switchroom.server.store.sqlite.connection.read_migrations"


async def refusal(path: Path) -> str:
    store = SqliteStore(path)
    with pytest.raises(StartupError) as refused:
        await store.open()
    message = refused.value.message
    assert "\n" not in message and message.endswith(".") and str(path.name) in message
    return message


async def test_a_url_names_its_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_store("memory:"), MemoryStore)
    for url, path in (
        (f"sqlite:///{tmp_path}/a b%.db", tmp_path / "a b%.db"),
        ("sqlite:///rel.db", tmp_path / "rel.db"),
    ):
        store = open_store(url, durability="commit")
        await store.open()
        await store.sessions.save(make_record(1))
        assert store.is_durable and len(await store.sessions.load_live()) == 1
        await store.close()
        assert path.is_file()


@pytest.mark.parametrize(
    "url", ["", "switchroom.db", "sqlite://x.db", "sqlite:///", "postgres://x", "memory", "sqlite:///a\0b"]
)
def test_any_other_url_is_refused_with_the_right_spelling(url: str) -> None:
    with pytest.raises(StartupError, match=r"use sqlite:///file\.db, sqlite:////absolute/file\.db or memory:"):
        open_store(url)


async def test_a_file_is_opened_by_one_store_at_a_time(open_sqlite: OpenSqlite, database: Path) -> None:
    store = await open_sqlite()
    assert "is in use by another process" in await refusal(database)
    await store.close()
    await (await open_sqlite()).close()


async def test_another_process_is_refused_and_told_which_one_to_stop(open_sqlite: OpenSqlite, database: Path) -> None:
    await open_sqlite()
    script = (
        "import asyncio, sys; from pathlib import Path; from switchroom.server.store import SqliteStore;"
        "asyncio.run(SqliteStore(Path(sys.argv[1])).open())"
    )
    done = await anyio.run_process([sys.executable, "-c", script, str(database)], check=False)
    assert done.returncode != 0 and b"is in use by another process: stop process" in done.stderr


def make_directory(path: Path) -> None:
    path.mkdir()


def make_text(path: Path) -> None:
    path.write_text("this is no database, whatever its name says\n" * 100)


def make_foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE somebody_elses (x)")
    connection.close()


def content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_directory, "is a directory"),
        (make_text, "is not an SQLite database"),
        (make_foreign, "is a database of another program"),
    ],
)
async def test_what_is_no_database_of_ours_is_refused_untouched(
    database: Path, make: Callable[[Path], None], reason: str
) -> None:
    make(database)
    before = content(database)
    assert reason in await refusal(database)
    assert content(database) == before


async def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "absent" / "x.db")
    with pytest.raises(StartupError, match=r"absent does not exist: create it"):
        await store.open()


async def test_a_place_that_takes_no_files_is_refused() -> None:
    assert "Cannot use" in await refusal(Path("/proc/switchroom.db"))


async def test_a_refused_store_frees_the_file(database: Path, open_sqlite: OpenSqlite) -> None:
    make_text(database)
    await refusal(database)
    os.unlink(database)
    await (await open_sqlite()).close()


async def test_a_file_of_a_newer_version_is_refused(open_sqlite: OpenSqlite, database: Path) -> None:
    await (await open_sqlite()).close()
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert "newer version" in await refusal(database)


async def test_a_file_of_an_older_version_is_upgraded(
    open_sqlite: OpenSqlite, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_sqlite()
    await store.sessions.save(make_record(1))
    await store.close()
    known = read_migrations()
    newest = known[-1].version + 1
    later = Migration(newest, "CREATE TABLE later (x INTEGER) STRICT;")
    monkeypatch.setattr(MIGRATIONS, lambda: [*known, later])
    store = await open_sqlite()
    assert len(await store.sessions.load_live()) == 1
    await store.close()
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA user_version").fetchone() == (newest,)
    assert connection.execute("SELECT count(*) FROM later").fetchone() == (0,)
    connection.close()


async def test_a_file_of_the_first_version_remembers_ended_ids_after_its_upgrade(
    open_sqlite: OpenSqlite, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = make_ended(1, sid_hash=b"h" * 32, client_name="inspector")
    with monkeypatch.context() as patch:
        patch.setattr(MIGRATIONS, lambda: read_migrations()[:1])
        await (await open_sqlite()).close()
    assert user_version(database) == 1
    insert_as_then(database, ended)
    store = await open_sqlite()
    found = await store.sessions.find(session_id=ended.id)
    assert found is not None and len(history_of(found)) == 2, "its beginning and its end are known without a history"
    assert await store.sessions.sweep(START + 25 * 3600) == 1
    remembered = await store.sessions.ended_id(b"h" * 32)
    assert remembered is not None and remembered.client_name == "inspector"
    await store.close()
    assert user_version(database) == read_migrations()[-1].version
    reopened = await open_sqlite()
    assert await reopened.sessions.ended_id(b"h" * 32) == remembered


def insert_as_then(database: Path, record: SessionRecord) -> None:
    """Insert a session with the columns that the first version had."""
    with closing(sqlite3.connect(database)) as connection, connection:
        had = [row[1] for row in connection.execute("PRAGMA table_info(session)")]
        names = COLUMNS.split(", ")
        assert names[: len(had)] == had, "new columns come last"
        places = ", ".join("?" * len(had))
        row = to_row(record)[: len(had)]
        connection.execute(f"INSERT INTO session ({', '.join(had)}) VALUES ({places})", row)


def user_version(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


async def test_an_upgrade_that_fails_leaves_the_file_as_it_was(
    open_sqlite: OpenSqlite, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await open_sqlite()).close()
    known = read_migrations()
    version = known[-1].version
    broken = Migration(version + 1, "CREATE TABLE later (x INTEGER) STRICT; SELECT no_such_function();")
    with monkeypatch.context() as patch:
        patch.setattr(MIGRATIONS, lambda: [*known, broken])
        assert "Cannot use" in await refusal(database)
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'later'").fetchone() == (0,)
    connection.close()
    await (await open_sqlite()).close()


async def test_files_are_readable_by_their_owner_alone(open_sqlite: OpenSqlite, database: Path) -> None:
    store = await open_sqlite()
    await store.sessions.save(make_record(1))
    for path in database.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_each_step_of_the_schema_has_a_number_of_its_own() -> None:
    assert [step.version for step in read_migrations()] == list(range(1, len(read_migrations()) + 1))
