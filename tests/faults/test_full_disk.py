"""A full disk, a real one: a small file system that is filled and emptied again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.support.enduring import enduring
from tests.support.processes import COMMAND, Served, run_inside

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

MEGABYTES = 24


async def test_a_full_disk_refuses_new_events_alone_and_heals_by_itself(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    # A mount of the server's own: it needs no rights, and is gone with the process.
    mount = f"mount -t tmpfs -o size={MEGABYTES}m tmpfs {disk} && cd {disk} && exec " + " ".join(COMMAND)
    served = run_inside(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f"{mount} serve --port 0"], disk
    )
    inside = Path(f"/proc/{served.process.pid}/root{disk}")
    try:
        async with enduring(served.mcp, 4, cut_share=0) as clients, httpx2.AsyncClient(timeout=10) as http:
            await until(lambda: all(each.acknowledged > 5 for each in clients))
            full = [inside / "filler"]
            await asyncio.to_thread(fill, full[0])
            async with asyncio.timeout(30):
                # The store gives back what it had set aside, which lasts for a moment.
                while await refused(served) != 503:
                    full.append(inside / f"filler-{len(full)}")
                    await asyncio.to_thread(fill, full[-1])
            ready = await http.get(f"{served.base}/readyz")
            assert (ready.status_code, ready.json()["store"]) == (503, "disk full")
            for path in full:
                path.unlink()
            before = [each.acknowledged for each in clients]
            await until(lambda: all(each.acknowledged > seen for each, seen in zip(clients, before, strict=True)))
            assert (await http.get(f"{served.base}/readyz")).json()["store"] == "ok"
            assert [fault for each in clients for fault in each.faults] == []
        assert "Traceback" not in served.text, served.text
    finally:
        served.stop()


async def refused(served: Served) -> int:
    """Open a session on a full disk, which cannot be kept; the status of the answer."""
    async with httpx2.AsyncClient(timeout=10) as http:
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "late", "version": "1"}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        headers = {"accept": "application/json, text/event-stream"}
        return (await http.post(served.mcp, json=body, headers=headers)).status_code


async def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.02)


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
