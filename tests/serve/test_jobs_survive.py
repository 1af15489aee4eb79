"""A job that the end of the process cuts short says so afterwards, and its rest can be gone on with."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.processes import serving
from tests.support.wire import session

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

_SESSIONS = 5
_SLOW = {"reason": "INC-7", "per_second": 1}


async def reached(api: httpx2.AsyncClient, job_id: str) -> dict[str, Any]:
    """Return the job once it has reached somebody."""
    async with asyncio.timeout(20):
        while not (job := (await api.get(f"/jobs/{job_id}")).json())["reached"]:
            await asyncio.sleep(0.02)
    found: dict[str, Any] = job
    return found


async def unchanging(api: httpx2.AsyncClient, job_id: str) -> dict[str, Any]:
    """Return the job once it has ended."""
    async with asyncio.timeout(20):
        while (job := (await api.get(f"/jobs/{job_id}")).json())["status"] == "running":
            await asyncio.sleep(0.02)
    found: dict[str, Any] = job
    return found


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_a_job_is_interrupted_by_a_restart_and_its_rest_gone_on_with(how: signal.Signals, tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        async with AsyncExitStack() as stack, first.api() as api:
            for number in range(_SESSIONS):
                await stack.enter_async_context(session(first.mcp, name=f"batch-{number}"))
            ids = [each["id"] for each in (await api.get("/sessions")).json()["items"]]
            started = (await api.post("/expirations", json={"session_ids": ids, **_SLOW})).json()
            await reached(api, started["id"])
            await asyncio.to_thread(first.stop, how)
    with serving(tmp_path) as second:
        async with second.api() as api:
            (listed,) = (await api.get("/jobs")).json()["items"]
            cut = (await api.get(f"/jobs/{started['id']}")).json()
            assert listed == cut and cut["status"] == "interrupted" and cut["total"] == _SESSIONS
            assert cut["left"] == _SESSIONS - cut["reached"] > 0 and cut["per_second"] == 1
            answer = await api.post(f"/jobs/{started['id']}/continuation")
            assert answer.status_code == 202
            rest = await unchanging(api, answer.json()["id"])
            assert rest["total"] == rest["reached"] == cut["left"] and rest["reason"] == "INC-7"
            assert started["id"] in rest["target"]
            told = (await api.get(f"/audit/{started['id']}/results")).json()["counts"]
            assert told[f"left to job {rest['id']}"] == cut["left"] and sum(told.values()) == _SESSIONS
            assert (await api.get("/sessions", params={"q": "state:live"})).json()["items"] == []
            again = await api.post(f"/jobs/{started['id']}/continuation")
            assert again.status_code == 409 and "Nothing is left" in again.json()["detail"]
