"""Databases of an earlier release, kept as SQL, are brought up to date and go on as they were."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from switchroom.server.store.sqlite.statements import read_migrations
from tests.support.processes import failing_command, run_command, serving
from tests.support.source import ROOT
from tests.support.wire import client, text_of

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

PREVIOUS = ROOT / "tests" / "faults" / "previous"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that an earlier release left: a live session, an ended one, a broadcast, an API token."""
    for script in PREVIOUS.glob("*.sql"):
        with closing(sqlite3.connect(tmp_path / f"{script.stem}.db")) as connection:
            connection.executescript(script.read_text("utf-8"))
    (tmp_path / "switchroom.db.audit-key").write_bytes(bytes.fromhex(secrets()["audit_key"]))
    (tmp_path / "switchroom.db.audit-key").chmod(0o600)
    return tmp_path


def secrets() -> dict[str, str]:
    """What the clients and scripts of that time held."""
    found: dict[str, str] = json.loads((PREVIOUS / "secrets.json").read_text("utf-8"))
    return found


async def test_sessions_keys_tokens_and_the_audit_log_are_as_they_were(folder: Path) -> None:
    with serving(folder) as served:
        async with client(served.mcp) as wire:
            wire.session_id, wire.version = secrets()["session_id"], "2025-11-25"
            answer = await wire.call("get_session_data", key="kept")
            assert "kept = since 0.1.0" in text_of(answer.last)
            wire.session_id = secrets()["ended_session_id"]
            assert "before the upgrade" in (await wire.request("ping")).text
        headers = {"Authorization": f"Bearer {secrets()['token']}"}
        async with httpx2.AsyncClient(base_url=f"{served.base}/api/v1", headers=headers) as api:
            broadcasts = (await api.get("/broadcasts")).json()["items"]
            assert broadcasts[0]["id"]
            actions = {entry["action"] for entry in (await api.get("/audit")).json()["items"]}
            assert {"expire", "broadcast"} <= actions
        served.stop()
    assert "whole" in run_command(folder, "audit", "verify")
    with closing(sqlite3.connect(folder / "switchroom.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (read_migrations()[-1].version,)


def test_a_database_of_a_newer_release_is_refused_and_left_alone(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "switchroom.db")) as connection:
        connection.execute("PRAGMA user_version = 9999")
    before = (folder / "switchroom.db").read_bytes()
    assert "newer version" in failing_command(folder, "serve", "--port", "0")
    assert (folder / "switchroom.db").read_bytes() == before
