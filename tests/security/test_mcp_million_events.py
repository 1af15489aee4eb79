"""A million events in a hundred sessions. Each log keeps to its cap; keys, audit entries and sessions are untouched.

A million requests would take minutes, so the rows are put into the stopped server's file, and attacked from there on.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import httpx2
import pytest

from switchroom.server.models import Direction, EventKind
from switchroom.server.store.limits import EVENT_OVERHEAD_BYTES, count_threshold
from tests.security.conftest import SETTINGS, TARGET, assert_alive
from tests.security.operators import signed_in
from tests.security.tally import Tally
from tests.support.processes import Served, run_command, serving
from tests.support.wire import Wire, session, text_of

pytestmark = pytest.mark.anyio

SESSIONS = 100
CAP = 10_000
"""As by default."""

FULL = count_threshold(CAP) - 20
"""Events of a log that the next few will cut back."""

PAYLOAD = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}'

FILL = """
    WITH RECURSIVE number (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM number WHERE k < ?)
    INSERT INTO event (session, seq, epoch, at, direction, kind, method, size, payload, start)
    SELECT session, seq + k, epoch, at, ?, ?, 'notifications/progress', ?, ?, start + ? + k * ?
    FROM number, (SELECT session, seq, epoch, at, start FROM event WHERE session = ? ORDER BY seq DESC LIMIT 1)
"""


def fill(folder: Path) -> int:
    """Fill every log to its cap, some to just below where they are cut back, and return how many events there are."""
    kept = EVENT_OVERHEAD_BYTES + len(PAYLOAD)
    with closing(sqlite3.connect(folder / "switchroom.db")) as connection:
        logs = connection.execute("SELECT session, count(*) FROM event GROUP BY session").fetchall()
        for index, (number, count) in enumerate(logs):
            values = (
                (FULL if index % 5 == 0 else CAP) - count,
                Direction.FROM_CLIENT.value,
                EventKind.NOTIFICATION.value,
                len(PAYLOAD),
                PAYLOAD,
            )
            connection.execute(FILL, (*values, 100_000, kept, number))
        connection.commit()
        return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])


def lengths(folder: Path) -> list[int]:
    """Return how many events each log holds."""
    with closing(sqlite3.connect(f"file:{folder}/switchroom.db?mode=ro", uri=True)) as connection:
        return [count for (count,) in connection.execute("SELECT count(*) FROM event GROUP BY session")]


@asynccontextmanager
async def attackers(served: Served) -> AsyncGenerator[list[Wire]]:
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(session(served.mcp, name="filler")) for _ in range(SESSIONS)]
        for number, wire in enumerate(wires):
            await wire.call("set_session_data", key="mine", value=str(number))
        yield wires


async def audited(api: httpx2.AsyncClient) -> list[str]:
    answer = await api.get("/audit", params={"q": "action:broadcast", "limit": 50})
    return [each["action_id"] for each in answer.json()["items"]]


async def test_a_million_events_cost_nobody_anything_but_old_events(tmp_path: Path, tally: Tally) -> None:
    with serving(tmp_path, f"{TARGET}:plain", **SETTINGS) as before:
        async with attackers(before) as wires, before.api() as api:
            for number in range(10):
                await api.post("/broadcasts", json={"text": f"to be kept {number}", "filter": "state:live"})
            entries = await audited(api)
            assert len(entries) == 10
            before.stop()
            assert fill(tmp_path) > 1_000_000
            await attack_again(tmp_path, wires, entries)
    run_command(tmp_path, "audit", "verify")
    tally.judge((), lost=[f"a log of {each}" for each in lengths(tmp_path) if each < CAP])
    assert sum(lengths(tmp_path)) >= 1_000_000 and max(lengths(tmp_path)) < CAP + 200
    tally.serve(SESSIONS)


async def attack_again(folder: Path, wires: list[Wire], entries: list[str]) -> None:
    """Go on with every session on the full file, and look at all of it as an operator."""
    with serving(folder, f"{TARGET}:plain", **SETTINGS) as served:
        for number, wire in enumerate(wires):
            wire.url = served.mcp
            if number % 5 == 0:
                assert (await wire.call("emit", count=30, size=10)).status == 200
            assert f"mine = {number}" in text_of((await wire.call("get_session_data", key="mine")).last)
        async with served.api() as api, signed_in(served, "looking") as page, asyncio.timeout(30):
            assert await audited(api) == entries
            assert (await api.get("/sessions", params={"q": "state:live"})).json()["total"] == SESSIONS
            found = (await api.post("/sessions/lookup", json={"mcp_session_id": wires[0].session_id})).json()
            for path in ("/admin/", "/admin/sessions", "/admin/events", f"/admin/sessions/{found['id']}/events"):
                assert (await page.get(path)).status_code == 200, path
            while max(lengths(folder)) > CAP + 200:
                await asyncio.sleep(0.1)
        assert_alive(served)
        served.stop()
