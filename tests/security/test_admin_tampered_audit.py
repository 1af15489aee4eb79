"""An audit log that somebody edits afterwards. `switchroom audit verify` finds it and exits with 1."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.support.processes import COMMAND, environment, serving

TAMPERINGS: dict[str, Callable[[sqlite3.Connection], object]] = {
    "an actor is changed": lambda c: c.execute("UPDATE audit SET actor = 'somebody else' WHERE id = 2"),
    "an outcome is changed": lambda c: c.execute("UPDATE audit SET outcome = 'refused' WHERE id = 2"),
    "a time is changed": lambda c: c.execute("UPDATE audit SET at = at - 3600 WHERE id = 3"),
    "an entry is deleted": lambda c: c.execute("DELETE FROM audit WHERE id = 2"),
    "the newest entry is deleted": lambda c: c.execute("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)"),
    "the oldest entry is deleted": lambda c: c.execute("DELETE FROM audit WHERE id = 1"),
    "two entries change places": lambda c: swap(c, 2, 3),
    "an entry is repeated": lambda c: repeat(c),
    "everything is deleted": lambda c: c.execute("DELETE FROM audit"),
}


def swap(connection: sqlite3.Connection, one: int, two: int) -> None:
    for old, new in ((one, -1), (two, one), (-1, two)):
        connection.execute("UPDATE audit SET id = ? WHERE id = ?", (new, old))


def repeat(connection: sqlite3.Connection) -> None:
    columns = [row[1] for row in connection.execute("PRAGMA table_info(audit)") if row[1] != "id"]
    names = ", ".join(columns)
    connection.execute(f"INSERT INTO audit ({names}) SELECT {names} FROM audit WHERE id = 2")


@pytest.fixture(scope="module")
def acted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server where an operator did something, and which has stopped."""
    folder = tmp_path_factory.mktemp("acted")
    with serving(folder) as served:
        headers = {"Authorization": f"Bearer {served.token()}"}
        with httpx2.Client(base_url=f"{served.base}/api/v1", headers=headers) as api:
            for number in range(4):
                answer = api.post("/broadcasts", json={"text": f"number {number}", "level": "info"})
                assert answer.status_code == 201
        served.stop()
    return folder


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "audit", "verify"]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=60)


def test_an_untouched_log_verifies(acted: Path) -> None:
    done = verify(acted)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found(acted: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(acted, folder)
    with closing(sqlite3.connect(folder / "switchroom.db")) as connection:
        TAMPERINGS[name](connection)
        connection.commit()
    done = verify(folder)
    assert done.returncode == 1, f"{name}: {done.stdout}"
    assert len(done.stdout + done.stderr) > 30


def test_the_key_of_the_chain_is_for_its_owner_alone(acted: Path) -> None:
    keys = [each for each in acted.iterdir() if "audit" in each.name]
    assert keys
    assert all(each.stat().st_mode & 0o077 == 0 for each in keys)
