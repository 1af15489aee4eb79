"""What the charts are drawn from: counted cheaply, in slots and minutes, over restarts."""

from __future__ import annotations

import time

import pytest

from switchroom.server.engine.calls import Call
from switchroom.server.engine.meter import OTHER_METHODS, SLOT_SECONDS, Meter
from switchroom.server.models import Figures, Gauges, percentile_us
from switchroom.server.store.memory import MemoryStore
from tests.support.stores import START, Clock

pytestmark = pytest.mark.anyio

NOON = int(START) // 60 * 60


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = float(NOON)
    return clock


def meter_of(store: MemoryStore, clock: Clock) -> Meter:
    return Meter(store.figures, lambda: Gauges(live=7, active=2), clock)


def call(method: str = "tools/call", target: str = "add", *, took: float = 0.0) -> Call:
    made = Call(1, "1", method, {"name": target})
    made.started_clock -= int(took * 1e9)
    return made


def passed(meter: Meter, clock: Clock, seconds: int) -> None:
    """Let time pass as the sweeper sees it."""
    for _ in range(seconds):
        clock.now += 1
        meter.roll()


async def test_a_slot_counts_by_era_and_name(clock: Clock) -> None:
    meter = meter_of(MemoryStore(), clock)
    meter.answered(call(took=0.2), is_modern=False, is_error=False)
    meter.answered(call(target="boom"), is_modern=True, is_error=True)
    meter.answered(Call(2, "2", "ping", None), is_modern=True, is_error=False)
    passed(meter, clock, SLOT_SECONDS)
    (slot,) = meter.slots
    assert (slot.at, slot.handshake, slot.modern, slot.errors) == (NOON, 1, 2, 1)
    assert slot.by_name == {"tools/call add": (1, 0), "tools/call boom": (1, 1), "ping": (1, 0)}
    assert slot.gauges == Gauges(live=7, active=2)
    slowest = percentile_us(slot.latency, 1.0)
    assert slowest is not None and 150_000 < slowest <= 300_000


async def test_slots_make_up_their_minute(clock: Clock) -> None:
    meter = meter_of(MemoryStore(), clock)
    for _ in range(12):
        meter.answered(call(), is_modern=False, is_error=False)
        passed(meter, clock, SLOT_SECONDS)
    assert [(each.at - NOON, each.handshake) for each in meter.minutes] == [(0, 6), (60, 6)]
    assert sum(sum(each.latency) for each in meter.minutes) == 12


async def test_figures_go_on_after_a_restart_in_the_middle_of_a_minute(clock: Clock) -> None:
    store = MemoryStore()
    first = meter_of(store, clock)
    first.answered(call(), is_modern=False, is_error=False)
    passed(first, clock, 25)
    first.answered(call(), is_modern=False, is_error=True)
    first.flush()

    second = meter_of(store, clock)
    await second.load()
    second.answered(call(), is_modern=True, is_error=False)
    passed(second, clock, 60)
    (minute,) = await store.figures.read(NOON)
    assert (minute.handshake, minute.modern, minute.errors) == (2, 1, 1)
    assert minute.seconds >= 60
    assert [each.at for each in second.minutes] == [NOON]


async def test_minutes_of_an_earlier_run_are_there_from_the_start(clock: Clock) -> None:
    store = MemoryStore()
    for number in range(3):
        await store.figures.save(Figures(NOON - 180 + number * 60, 60, handshake=number + 1))
    meter = meter_of(store, clock)
    await meter.load()
    assert [each.handshake for each in meter.minutes] == [1, 2, 3]


async def test_a_stream_that_is_answered_at_its_end_is_no_latency(clock: Clock) -> None:
    meter = meter_of(MemoryStore(), clock)
    meter.answered(Call(1, "1", "subscriptions/listen", None), is_modern=True, is_error=False)
    assert (meter.totals.modern, sum(meter.totals.latency)) == (1, 0)


async def test_names_that_clients_invent_are_bounded_and_nothing_is_lost(clock: Clock) -> None:
    meter = meter_of(MemoryStore(), clock)
    for number in range(1_000):
        meter.answered(Call(1, "1", f"made/up{number}" + "x" * 500, None), is_modern=False, is_error=True)
    slot = meter.now()
    assert len(slot.by_name) <= 129
    assert max(map(len, slot.by_name)) <= 80
    assert sum(errors for _, errors in slot.by_name.values()) == 1_000
    assert slot.by_name[OTHER_METHODS][0] > 800


async def test_a_clock_that_is_set_back_loses_no_count(clock: Clock) -> None:
    meter = meter_of(MemoryStore(), clock)
    meter.answered(call(), is_modern=False, is_error=False)
    clock.now -= 3_600
    meter.roll()
    meter.answered(call(), is_modern=False, is_error=False)
    passed(meter, clock, 120)
    assert sum(each.handshake for each in meter.minutes) == 2


async def test_an_answer_is_counted_within_microseconds(clock: Clock) -> None:
    meter, one = meter_of(MemoryStore(), clock), call()
    best = 1.0
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(2_000):
            meter.answered(one, is_modern=False, is_error=False)
        best = min(best, (time.perf_counter() - started) / 2_000)
    assert best < 10e-6  # 1 µs on a quiet machine
