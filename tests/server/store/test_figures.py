"""The minutes behind the charts, the same in every engine."""

from __future__ import annotations

import pytest

from switchroom.server.models import LATENCY_STEPS, Figures, Gauges
from switchroom.server.store import Retention, Store
from tests.support.stores import START, Clock, OpenStore

pytestmark = pytest.mark.anyio

NOON = int(START) // 60 * 60


def minute(number: int, answers: int = 3) -> Figures:
    latency = (0, 2, *(0,) * (LATENCY_STEPS - 3), 1)
    by_name = {"tools/call add": (answers, 1), "ping": (1, 0)}
    gauges = Gauges(10, 4, 2, 9, 50_000_000)
    return Figures(NOON + 60 * number, 60, gauges, answers, 1, 1, 5, latency, by_name)


async def test_a_minute_comes_back_whole(store: Store) -> None:
    await store.figures.save(minute(0))
    assert await store.figures.read(NOON) == [minute(0)]


async def test_the_last_save_of_a_minute_wins(store: Store) -> None:
    await store.figures.save(minute(0, answers=3))
    await store.figures.save(minute(0, answers=8))
    assert [each.handshake for each in await store.figures.read(0)] == [8]


async def test_minutes_are_read_from_a_time_on_oldest_first(store: Store) -> None:
    for number in (2, 0, 1):
        await store.figures.save(minute(number))
    assert [each.at for each in await store.figures.read(NOON + 60)] == [NOON + 60, NOON + 120]


async def test_names_that_no_text_column_holds_are_kept_harmless(store: Store) -> None:
    await store.figures.save(minute(0)._replace(by_name={"a\ud800\0b": (1, 1)}))
    (found,) = await store.figures.read(0)
    (name,) = found.by_name
    assert found.by_name[name] == (1, 1)
    assert name.encode("utf-8").startswith(b"a")


async def test_a_sweep_removes_minutes_past_their_age(open_store: OpenStore, clock: Clock) -> None:
    store = await open_store(Retention(figures_seconds=120))
    for number in range(4):
        await store.figures.save(minute(number))
    clock.now = NOON + 240
    await store.sessions.sweep(clock.now)
    assert [each.at for each in await store.figures.read(0)] == [NOON + 120, NOON + 180]
