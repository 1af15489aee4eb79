"""Waits that share a timer."""

from __future__ import annotations

import asyncio

import pytest
from anyio import fail_after

from switchroom.server.engine.deadlines import Deadlines

pytestmark = pytest.mark.anyio

SECONDS = 0.02


async def test_what_runs_out_is_done_in_the_order_it_began() -> None:
    deadlines, done = Deadlines(SECONDS), list[str]()
    last = asyncio.Event()
    deadlines.add(lambda: done.append("first"))
    deadlines.add(lambda: done.append("second"))
    deadlines.add(last.set)
    with fail_after(5):
        await last.wait()
    assert done == ["first", "second"]


async def test_what_is_cancelled_is_never_done_and_holds_nothing_back() -> None:
    deadlines, done = Deadlines(SECONDS), list[str]()
    cancelled = deadlines.add(lambda: done.append("cancelled"))
    cancelled.cancel()
    last = asyncio.Event()
    kept = deadlines.add(last.set)
    with fail_after(5):
        await last.wait()
    assert done == []
    assert kept.has_passed and not cancelled.has_passed


async def test_a_deadline_is_added_after_all_others_have_run_out() -> None:
    deadlines = Deadlines(SECONDS)
    for _ in range(2):
        passed = asyncio.Event()
        deadlines.add(passed.set)
        with fail_after(5):
            await passed.wait()


async def test_a_loop_that_was_closed_holds_up_none_of_the_next() -> None:
    deadlines, done = Deadlines(SECONDS), list[str]()

    async def begin() -> None:
        deadlines.add(lambda: done.append("of the loop before"))

    await asyncio.to_thread(asyncio.run, begin())
    passed = asyncio.Event()
    deadlines.add(passed.set)
    with fail_after(5):
        await passed.wait()
    assert done == []
