"""`switchroom keys`: a key is made, a server seals with it, and everything moves to the next one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.support.clients import connected, text_of
from tests.support.processes import Served, failing_command, run_command, serving, start

pytestmark = pytest.mark.anyio


def new_key(folder: Path, present: str = "") -> str:
    """Return what `switchroom keys new` prints."""
    return run_command(folder, "keys", "new", settings={"secret_keys": present} if present else {})


def key_ids(folder: Path) -> set[str]:
    """Return which keys the database's secrets are sealed with."""
    connection = sqlite3.connect(folder / "switchroom.db")
    try:
        values = connection.execute("SELECT key_id FROM kv WHERE key_id IS NOT NULL").fetchall()
        events = connection.execute("SELECT sealed FROM event WHERE sealed IS NOT NULL").fetchall()
    finally:
        connection.close()
    return {row[0] for row in values} | {row[0].split(".")[1] for row in events}


def everything(folder: Path) -> str:
    """Return what all files of a folder hold."""
    return "".join(path.read_bytes().decode("latin-1") for path in folder.iterdir() if path.is_file())


async def store_secret(served: Served) -> None:
    async with connected(served.mcp) as (client, _):
        answer = await client.call_tool("store_sensitive_data", {"key": "pin", "value": "9731"})
        assert text_of(answer) == "Securely stored data for key: pin"


async def test_everything_moves_to_a_new_key_with_the_server_stopped_and_with_it_running(tmp_path: Path) -> None:
    first = new_key(tmp_path)
    assert first.startswith("k1:")
    served = start(tmp_path, "--port", "0", secret_keys=first)
    await store_secret(served)
    assert "in use by a running server" in failing_command(tmp_path, "keys", "rotate", secret_keys=first)
    served.stop()
    assert key_ids(tmp_path) == {"k1"}

    second = new_key(tmp_path, first)
    assert second.startswith("k2:")
    both = f"{second},{first}"
    assert "1 events of the log" in run_command(tmp_path, "keys", "rotate", settings={"secret_keys": both})
    assert key_ids(tmp_path) == {"k2"}

    third = new_key(tmp_path, both)
    with serving(tmp_path, secret_keys=f"{third},{second}") as again:
        await store_secret(again)
        url = ("--url", again.base)
        assert "role admin" in failing_command(tmp_path, "keys", "rotate", *url, token=again.token("viewer"))
        done = run_command(tmp_path, "keys", "rotate", *url, settings={"token": again.token("admin")})
        assert done.startswith("Sealed with k3 now: 0 stored keys, 1 events")
        again.stop()
    assert key_ids(tmp_path) == {"k3"}
    assert "no key of the ring opens them" in failing_command(tmp_path, "keys", "rotate", secret_keys=first)
    assert key_ids(tmp_path) == {"k3"}
    assert not any(key.partition(":")[2] in everything(tmp_path) for key in (first, second, third))


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    assert "SWITCHROOM_SECRET_KEYS is not set" in failing_command(tmp_path, "keys", "rotate")
    key = new_key(tmp_path)
    assert "There is no database" in failing_command(tmp_path, "keys", "rotate", secret_keys=key)
    assert "letters, digits" in failing_command(tmp_path, "keys", "new", "--id", "a b")
    assert "is not 32 bytes in base64" in failing_command(tmp_path, "serve", secret_keys="k1:abc")
    assert "API token of an admin" in failing_command(tmp_path, "keys", "rotate", "--url", "http://127.0.0.1:1")
