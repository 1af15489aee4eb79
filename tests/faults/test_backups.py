"""A backup is taken while the server runs, and what is put back goes on as it was."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import httpx2
import pytest

from tests.support.enduring import enduring
from tests.support.processes import failing_command, run_command, serving
from tests.support.wire import client, session, text_of

pytestmark = [pytest.mark.anyio, pytest.mark.fault]


async def test_a_copy_of_a_running_server_is_whole_and_goes_on(tmp_path: Path) -> None:
    (running := tmp_path / "running").mkdir()
    (restored := tmp_path / "restored").mkdir()
    with serving(running) as served:
        token = served.token()
        async with session(served.mcp, name="kept") as wire, enduring(served.mcp, 4, cut_share=0) as clients:
            await wire.call("set_session_data", key="k", value="kept")
            async with asyncio.timeout(20):
                while not all(each.acknowledged > 3 for each in clients):
                    await asyncio.sleep(0.01)
            printed = await asyncio.to_thread(run_command, running, "backup", str(tmp_path / "copy"))
    names = {Path(line).name for line in printed.splitlines()}
    assert {"switchroom.db", "switchroom.accounts.db", "switchroom.db.audit-key"} <= names
    for name in names:
        shutil.copy2(tmp_path / "copy" / name, restored / name)
    with serving(restored) as served:
        async with client(served.mcp) as again:
            again.session_id, again.version = wire.session_id, wire.version
            assert "k = kept" in text_of((await again.call("get_session_data", key="k")).last)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=served.base, headers=headers) as api:
            assert (await api.get("/api/v1/sessions")).json()["total"] == 5
    assert "whole" in run_command(restored, "audit", "verify")


def test_a_backup_is_never_mixed_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "other").touch()
    assert "There is no database" in failing_command(tmp_path, "backup", "copy2")
    with serving(tmp_path):
        assert "is not empty" in failing_command(tmp_path, "backup", "copy")
