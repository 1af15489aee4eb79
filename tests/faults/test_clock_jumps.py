"""The wall clock is set a day on and a day back: order stays that of `seq`, and idle time is not wall time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from switchroom.server.engine.sweeper import Sweeper
from switchroom.server.store.base import EventQuery
from tests.support.servers import running
from tests.support.toolbox import Toolbox
from tests.support.wire import session

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

DAY = 24 * 3600.0


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["a day on", "a day back"])
async def test_a_clock_jump_expires_nothing_and_keeps_the_order(
    jump: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with running(Toolbox().mcp, db=f"sqlite:///{tmp_path / 'clock.db'}") as site, session(site.url) as wire:
        live = site.live()
        await wire.request("ping")
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        await Sweeper(site.switchroom.engine).sweep(time.monotonic())
        assert live.early_end is None
        for _ in range(3):
            assert (await wire.request("ping")).last["result"] == {}
        await Sweeper(site.switchroom.engine).sweep(time.monotonic())
        assert live.early_end is None
        page = await site.switchroom.directory.events(live.record.id, EventQuery(limit=1000))
        seqs = [event.seq for event in page.events]
        assert seqs == list(range(1, len(seqs) + 1))
        times = [event.at for event in page.events]
        assert abs(times[-1] - times[0]) > DAY / 2  # the clock did jump
