"""A damaged database: the server starts, only reads and says the exact command, which saves what there is."""

from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.support.processes import Served, failing_command, run_command, serving
from tests.support.wire import Wire, session, text_of

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

DATABASE = "switchroom.db"
REPAIR = re.compile(r'switchroom repair --db (sqlite:///[^\s"]+)')


async def test_a_damaged_table_is_told_read_and_repaired(tmp_path: Path) -> None:
    wire = await prepare(tmp_path)
    overwrite(tmp_path / DATABASE, *pages_of(tmp_path / DATABASE, "session"))
    kept = contents(tmp_path / DATABASE)
    with serving(tmp_path) as served:
        message = await told(served, wire)
        assert contents(tmp_path / DATABASE) == kept
        refused = failing_command(tmp_path, "repair", "--db", f"sqlite:///{tmp_path / DATABASE}")
        assert "in use by another process" in refused
    command = REPAIR.search(message)
    assert command is not None, message
    printed = run_command(tmp_path, "repair", "--db", command[1])
    assert "event" in printed and "kept as" in printed
    assert contents(damaged_file(tmp_path)) == kept
    with serving(tmp_path) as served, httpx2.Client() as http:
        assert http.get(f"{served.base}/readyz").json() == {"status": "ready", "store": "ok"}
        async with session(served.mcp) as fresh:
            assert "Stored" in text_of((await fresh.call("set_session_data", key="k", value="v")).last)


async def test_a_file_that_is_no_database_any_more_is_kept_and_replaced(tmp_path: Path) -> None:
    wire = await prepare(tmp_path)
    overwrite(tmp_path / DATABASE, 1)
    with serving(tmp_path) as served:
        await told(served, wire)
    printed = run_command(tmp_path, "repair")
    assert "kept as" in printed
    assert damaged_file(tmp_path).is_file()
    with serving(tmp_path) as served:
        async with session(served.mcp) as fresh:
            assert (await fresh.request("ping")).last["result"] == {}


async def test_rows_on_both_sides_of_the_damage_are_saved(tmp_path: Path) -> None:
    await prepare(tmp_path, calls=400)
    before = count(tmp_path / DATABASE)
    pages = pages_of(tmp_path / DATABASE, "event")
    overwrite(tmp_path / DATABASE, pages[len(pages) // 2])
    printed = run_command(tmp_path, "repair")
    assert "(some rows could not be read)" in printed
    after = count(tmp_path / DATABASE)
    assert before * 0.8 < after < before


async def prepare(folder: Path, calls: int = 20) -> Wire:
    """Run a server for a session with some calls, end it and move everything from the write-ahead log to the file."""
    with serving(folder) as served:
        async with session(served.mcp, name="before") as wire:
            for number in range(calls):
                await wire.call("set_session_data", key=f"k{number % 20}", value="v" * 200)
        served.stop(signal.SIGTERM)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return wire


async def told(served: Served, wire: Wire) -> str:
    """Prove that nobody is misled while the file is damaged; return what the health page says of the store."""
    async with httpx2.AsyncClient() as http:
        assert (await http.get(f"{served.base}/healthz")).status_code == 200
        ready = await http.get(f"{served.base}/readyz")
        assert (ready.status_code, ready.json()["store"]) == (503, "damaged")
        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        answer = await http.post(served.mcp, json=body, headers=wire.headers())
        assert answer.status_code == 503 and "retry-after" in answer.headers
        assert DATABASE not in answer.text  # no path to clients
        headers = {"Authorization": f"Bearer {served.token('viewer')}"}
        page = (await http.get(f"{served.base}/admin/health", headers=headers)).text
    assert "damaged" in page and "switchroom repair --db" in page
    assert "switchroom repair --db" in served.text
    return served.text


def damaged_file(folder: Path) -> Path:
    """Return the only damaged database that was kept."""
    (damaged,) = [path for path in folder.glob(f"{DATABASE}.damaged-*") if path.name.endswith("Z")]
    return damaged


def contents(path: Path) -> bytes:
    """Return a database but for its first page, where SQLite counts how often the file was opened to write."""
    return path.read_bytes()[4096:]


def overwrite(path: Path, *pages: int) -> None:
    """Fill pages (numbered from 1) of a database with rubbish."""
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * 4096)
            file.write(b"\xa5" * 4096)


def pages_of(path: Path, table: str) -> list[int]:
    """Return the leaf pages of a table, or its only page."""
    with closing(sqlite3.connect(path)) as connection:
        root = int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0])
        size = int(connection.execute("PRAGMA page_count").fetchone()[0])
    data = path.read_bytes()
    is_leaf = data[(root - 1) * 4096] == 13
    if is_leaf:
        return [root]
    # An interior page's cells start with the four bytes of a child's number (SQLite file format, section 1.6).
    base = (root - 1) * 4096
    cells = int.from_bytes(data[base + 3 : base + 5], "big")
    offsets = [int.from_bytes(data[base + 12 + 2 * n : base + 14 + 2 * n], "big") for n in range(cells)]
    children = [int.from_bytes(data[base + at : base + at + 4], "big") for at in offsets]
    assert all(1 < child <= size for child in children)
    return children


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        found: int = connection.execute("SELECT count(*) FROM event").fetchone()[0]
    return found
