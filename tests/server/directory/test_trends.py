"""What the charts show: slots and minutes as one line, gaps left open, over a restart."""

from __future__ import annotations

from itertools import pairwise

import pytest

from switchroom.server.directory import RANGES, range_named
from switchroom.server.directory.trends import Trending
from switchroom.server.engine.calls import Call
from switchroom.server.engine.meter import Meter
from switchroom.server.models import LATENCY_BOUNDS_US, Figures, Gauges, joined, percentile_us
from switchroom.server.store.memory import MemoryStore
from tests.support.stores import START, Clock

pytestmark = pytest.mark.anyio

QUARTER, HOUR, DAY = RANGES
NOON = int(START) // 3_600 * 3_600


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = float(NOON)
    return clock


def pass_time(meter: Meter, clock: Clock, seconds: int, *, answers_per_second: int = 0) -> None:
    for _ in range(seconds):
        clock.now += 1
        for _ in range(answers_per_second):
            meter.answered(Call(1, "1", "ping", None), is_modern=False, is_error=False)
        meter.roll()


async def test_the_quarter_hour_is_shown_in_slots_of_ten_seconds(clock: Clock) -> None:
    meter = Meter(MemoryStore().figures, Gauges, clock)
    pass_time(meter, clock, 60, answers_per_second=2)
    trends = Trending(meter, clock).of(QUARTER)
    assert [(each.at - NOON, each.seconds) for each in trends.points] == [(10 * n, 10) for n in range(6)]
    assert trends.total.handshake == 120


async def test_after_a_restart_older_minutes_join_the_slots_without_overlap(clock: Clock) -> None:
    store = MemoryStore()
    pass_time(Meter(store.figures, Gauges, clock), clock, 180, answers_per_second=1)
    meter = Meter(store.figures, Gauges, clock)
    await meter.load()
    pass_time(meter, clock, 30, answers_per_second=1)
    points = Trending(meter, clock).of(QUARTER).points
    assert [each.seconds for each in points] == [60, 60, 60, 10, 10, 10]
    assert all(one.at + one.seconds <= two.at for one, two in pairwise(points))
    assert sum(each.handshake for each in points) == 210


async def test_nothing_is_drawn_or_counted_twice_when_a_process_begins_within_a_minute(clock: Clock) -> None:
    store = MemoryStore()
    clock.now += 20
    before = Meter(store.figures, Gauges, clock)
    pass_time(before, clock, 15, answers_per_second=1)
    trending = Trending(before, clock)
    assert trending.of(QUARTER).total.handshake == 15
    before.flush()
    meter = Meter(store.figures, Gauges, clock)
    await meter.load()
    pass_time(meter, clock, 60, answers_per_second=1)
    found = Trending(meter, clock).of(QUARTER)
    assert found.total.handshake == 75 and [each.at - NOON for each in found.points] == [0, 30, 40, 50, 60, 70, 80, 90]


async def test_the_day_is_shown_in_steps_of_ten_minutes(clock: Clock) -> None:
    store = MemoryStore()
    for number in range(120):
        await store.figures.save(Figures(NOON - 7_200 + 60 * number, 60, handshake=1))
    meter = Meter(store.figures, Gauges, clock)
    await meter.load()
    trending = Trending(meter, clock)
    assert [each.handshake for each in trending.of(DAY).points] == [10] * 12
    assert len(trending.of(HOUR).points) == 60


async def test_every_console_gets_the_same_answer_for_a_few_seconds(clock: Clock) -> None:
    meter = Meter(MemoryStore().figures, Gauges, clock)
    trending = Trending(meter, clock)
    early = trending.of(HOUR)
    clock.now += 1
    assert trending.of(HOUR) is not early  # the server's first moments are drawn as they are now
    meter.slots.extend([meter.now()] * 3)
    first = trending.of(HOUR)
    clock.now += 4
    assert trending.of(HOUR) is first
    clock.now += 60
    assert trending.of(HOUR) is not first


def test_an_unknown_range_is_the_shortest() -> None:
    assert [range_named(name).name for name in ("24h", "1h", "15m", "<b>", "")] == ["24h", "1h", "15m", "15m", "15m"]


def test_percentiles_lie_inside_their_step_and_never_above_what_was_measured() -> None:
    latency = [0] * (len(LATENCY_BOUNDS_US) + 1)
    assert percentile_us(latency, 0.5) is None
    latency[3], latency[10] = 90, 10
    half, high = percentile_us(latency, 0.5), percentile_us(latency, 0.99)
    assert half is not None and LATENCY_BOUNDS_US[2] < half <= LATENCY_BOUNDS_US[3]
    assert high is not None and LATENCY_BOUNDS_US[9] < high <= LATENCY_BOUNDS_US[10]
    latency[-1] = 1_000
    assert percentile_us(latency, 0.99) == LATENCY_BOUNDS_US[-1]


def test_joining_keeps_the_names_with_most_errors() -> None:
    many = {f"tool {number}": (100, 0) for number in range(60)} | {"boom": (1, 1)}
    whole = joined([Figures(0, 10, by_name=many), Figures(10, 10, by_name={"boom": (2, 2)})], 0)
    assert whole.by_name["boom"] == (3, 3) and len(whole.by_name) == 40
