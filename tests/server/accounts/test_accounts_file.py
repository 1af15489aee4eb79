"""The accounts file itself: where it is, who may read it, several processes at once."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from switchroom.server.accounts import Accounts, accounts_path
from switchroom.server.errors import StartupError, StoreUnavailable
from switchroom.server.models import Role

pytestmark = pytest.mark.anyio

_WRITER = """
import asyncio, sys
from pathlib import Path
from switchroom.server.accounts import Accounts
from switchroom.server.models import Role

async def main() -> None:
    accounts = Accounts(Path(sys.argv[1]))
    await accounts.open()
    for number in range(25):
        await accounts.tokens.create(f"{sys.argv[2]}-{number}", Role.VIEWER)
    await accounts.close()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("db", "path"),
    [
        ("sqlite:///switchroom.db", Path("switchroom.accounts.db")),
        ("sqlite:////var/lib/room.sqlite", Path("/var/lib/room.accounts.sqlite")),
        ("sqlite:///data/events", Path("data/events.accounts.db")),
        ("memory:", None),
    ],
)
def test_the_accounts_file_lies_beside_the_event_file(db: str, path: Path | None) -> None:
    assert accounts_path(db) == path


@pytest.mark.parametrize("db", ["", "sqlite:///", "postgres://x", "switchroom.db"])
def test_an_unknown_database_is_refused_with_what_to_use(db: str) -> None:
    with pytest.raises(StartupError, match="sqlite:///path or memory:"):
        accounts_path(db)


async def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "a.db")
    await accounts.open()
    assert stat.S_IMODE((tmp_path / "a.db").stat().st_mode) == 0o600
    await accounts.close()


async def test_several_processes_write_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    writers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, str(path), name) for name in ("one", "two")
    ]
    accounts = Accounts(path)
    await accounts.open()
    for number in range(25):
        await accounts.tokens.create(f"here-{number}", Role.VIEWER)
    async with asyncio.timeout(30):
        assert [await writer.wait() for writer in writers] == [0, 0]
    assert len(await accounts.tokens.all()) == 75
    await accounts.close()


async def test_a_change_by_another_process_holds_at_once(tmp_path: Path) -> None:
    ours, theirs = Accounts(tmp_path / "a.db"), Accounts(tmp_path / "a.db")
    await ours.open()
    await theirs.open()
    await ours.operators.add("ana", Role.OPERATOR, "correct horse battery")
    secret = await ours.sign_ins.begin("ana", "::1")
    await theirs.operators.set_disabled("ana", True)
    assert await ours.sign_ins.find(secret, touch=True) is None
    await ours.close()
    await theirs.close()


async def test_a_locked_file_is_refused_after_a_bounded_wait(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "a.db")
    await accounts.open()
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable):
            await accounts.tokens.create("deploy", Role.VIEWER)
    other.execute("ROLLBACK")
    other.close()
    await accounts.tokens.create("deploy", Role.VIEWER)
    await accounts.close()


async def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "a.db")
    await accounts.open()
    secret, _ = await accounts.tokens.create("deploy", Role.VIEWER)
    await accounts.close()
    await accounts.close()
    await accounts.open()
    assert await accounts.tokens.find(secret) is not None
    await accounts.close()


@pytest.mark.parametrize("content", ["directory", "garbage", "newer"])
async def test_an_unusable_file_is_one_clear_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.db"
    if content == "directory":
        path = tmp_path / "absent" / "a.db"
    elif content == "garbage":
        path.write_bytes(b"not a database at all, but long enough" * 100)
    else:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    with pytest.raises(StartupError):
        await Accounts(path).open()


async def test_closed_accounts_say_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await Accounts(tmp_path / "a.db").tokens.all()
