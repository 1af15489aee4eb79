"""Another program locks the database for a while: bounded waits, clear answers, and it heals."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.support.processes import serving
from tests.support.wire import session, text_of

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

LOCKED_SECONDS = 10.0
BOUND_SECONDS = 5.0


async def test_a_database_locked_for_ten_seconds_answers_in_bounds_and_heals(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        async with session(served.mcp) as wire, httpx2.AsyncClient() as http:
            await wire.call("set_session_data", key="k", value="before")
            loop = asyncio.get_running_loop()
            with closing(sqlite3.connect(tmp_path / "switchroom.db", isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                until = loop.time() + LOCKED_SECONDS
                statuses: list[int] = []
                while (started := loop.time()) < until:
                    answer = await wire.call("echo", text="meanwhile")
                    statuses.append(answer.status)
                    assert loop.time() - started < BOUND_SECONDS
                    assert (await http.get(f"{served.base}/healthz")).status_code == 200
                assert set(statuses) == {503}
                assert (await http.get(f"{served.base}/readyz")).json()["store"] == "locked"
                other.execute("ROLLBACK")
            async with asyncio.timeout(10):
                while (answer := await wire.call("echo", text="after")).status != 200:
                    assert answer.status == 503
            assert "after" in text_of(answer.last)
            assert "before" in text_of((await wire.call("get_session_data", key="k")).last)
            assert (await http.get(f"{served.base}/readyz")).status_code == 200
        assert "Traceback" not in served.text, served.text
