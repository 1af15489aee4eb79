"""`switchroom audit verify` on what a real server left behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.processes import failing_command, run_command, serving


@pytest.mark.anyio
async def test_an_edited_audit_row_is_found(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        async with served.api() as api:
            sent = await api.post("/broadcasts", json={"text": "on the record"})
            assert sent.status_code == 201
        assert "in use" in failing_command(tmp_path, "audit", "verify")
        served.stop()
    assert run_command(tmp_path, "audit", "verify") == "The audit log is whole."
    with closing(sqlite3.connect(tmp_path / "switchroom.db")) as database, database:
        database.execute("UPDATE audit SET actor = 'nobody'")
    assert "broken at row" in failing_command(tmp_path, "audit", "verify")
