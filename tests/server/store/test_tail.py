"""Following a log: no gap, no double, bounded, for every engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import anyio
import pytest

from switchroom.server.errors import StoreUnavailable
from switchroom.server.models import Event, EventPage
from switchroom.server.store import EventQuery, Retention, Store, Tail
from switchroom.server.store.fanout import MAX_BUFFERED_BYTES, MAX_BUFFERED_EVENTS, Fanout
from tests.support.stores import OpenStore, make_event, make_record

pytestmark = pytest.mark.anyio


async def collect(tail: Tail, last_seq: int) -> list[int]:
    seen: list[int] = []
    with anyio.fail_after(10):
        while not seen or seen[-1] < last_seq:
            seen += [event.seq for event in await tail.read()]
    return seen


async def test_a_tail_reads_what_was_and_follows_what_comes(store: Store) -> None:
    for seq in (1, 2, 3):
        await store.events.append(1, make_event(seq))
    tail = store.events.tail(1, 1)
    assert [event.seq for event in await tail.read()] == [2, 3]
    pending = asyncio.ensure_future(tail.read())
    await store.events.append(2, make_event(1))
    await store.events.append(1, make_event(4))
    with anyio.fail_after(5):
        assert [event.seq for event in await pending] == [4]
    tail.close()


async def test_a_tail_misses_nothing_while_many_append(store: Store) -> None:
    count = 3_000

    async def append() -> None:
        for first in range(1, count + 1, 100):
            futures = [store.events.append(1, make_event(seq)) for seq in range(first, first + 100)]
            await futures[-1]

    tails = [store.events.tail(1, 0) for _ in range(3)]
    writing = asyncio.ensure_future(append())
    for seen in await asyncio.gather(*(collect(tail, count) for tail in tails)):
        assert seen == list(range(1, count + 1))
    await writing
    for tail in tails:
        tail.close()


async def test_a_reader_that_falls_behind_reads_the_store_again(store: Store) -> None:
    tail = store.events.tail(1, 0)
    assert await tail.read(timeout=0) == []
    count = MAX_BUFFERED_EVENTS * 2 + 10
    await asyncio.gather(*(store.events.append(1, make_event(seq)) for seq in range(1, count + 1)))
    assert await collect(tail, count) == list(range(1, count + 1))
    await store.events.append(1, make_event(count + 1))
    assert await collect(tail, count + 1) == [count + 1]
    tail.close()


async def test_a_tail_holds_a_bounded_number_of_bytes(store: Store) -> None:
    tail = store.events.tail(1, 0)
    assert await tail.read(timeout=0) == []
    payload = '"' + "x" * (MAX_BUFFERED_BYTES // 4) + '"'
    for seq in range(1, 8):
        await store.events.append(1, make_event(seq, payload=payload))
    assert await collect(tail, 7) == list(range(1, 8))
    tail.close()


async def test_a_tail_of_one_stream_leaves_the_others_out(store: Store) -> None:
    for seq in range(1, 11):
        await store.events.append(1, make_event(seq, stream=seq % 2))
    tail = store.events.tail(1, 0, stream=0)
    assert [event.seq for event in await tail.read()] == [2, 4, 6, 8, 10]
    for seq in range(11, 15):
        await store.events.append(1, make_event(seq, stream=seq % 2))
    assert await collect(tail, 14) == [12, 14]
    assert await tail.read(timeout=0) == []
    tail.close()


async def test_a_tail_says_how_many_events_retention_had_dropped(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_events=100))
    await store.sessions.save(make_record(1))
    await asyncio.gather(*(store.events.append(1, make_event(seq)) for seq in range(1, 301)))
    tail = store.events.tail(1, 20)
    first = (await tail.read())[0].seq
    assert tail.dropped == first - 21 > 0
    await store.events.append(1, make_event(301))
    assert [event.seq for event in await tail.read()] == [301]
    assert tail.dropped == 0
    tail.close()


async def test_a_read_ends_empty_on_its_timeout(store: Store) -> None:
    tail = store.events.tail(1, 0)
    with anyio.fail_after(5):
        assert await tail.read(timeout=0.01) == []
        assert await tail.read(timeout=0) == []
    tail.close()


async def test_waking_ends_one_read(store: Store) -> None:
    tail = store.events.tail(1, 0)
    pending = asyncio.ensure_future(tail.read())
    await asyncio.sleep(0)
    tail.wake()
    with anyio.fail_after(5):
        assert await pending == []
    tail.wake()
    assert await tail.read() == []
    await store.events.append(1, make_event(1))
    assert [event.seq for event in await tail.read()] == [1]
    tail.close()


async def test_closing_ends_reads_for_good(store: Store) -> None:
    tail = store.events.tail(1, 0)
    assert await tail.read(timeout=0) == []
    pending = asyncio.ensure_future(tail.read())
    await asyncio.sleep(0)
    tail.close()
    tail.close()
    with anyio.fail_after(5):
        assert await pending == []
        assert await tail.read() == []


async def test_closing_the_store_ends_its_tails(open_store: OpenStore) -> None:
    store = await open_store()
    tail = store.events.tail(1, 0)
    assert await tail.read(timeout=0) == []
    pending = asyncio.ensure_future(tail.read())
    await asyncio.sleep(0)
    await store.close()
    with anyio.fail_after(5):
        assert await pending == []


async def test_a_cancelled_read_loses_no_event(store: Store) -> None:
    tail = store.events.tail(1, 0)
    assert await tail.read(timeout=0) == []
    pending = asyncio.ensure_future(tail.read())
    await asyncio.sleep(0)
    pending.cancel()
    await asyncio.gather(pending, return_exceptions=True)
    await store.events.append(1, make_event(1))
    assert [event.seq for event in await tail.read()] == [1]
    tail.close()


class HeldLog:
    """A log whose next read is held until it is released, so that events can be committed in between."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.fanout = Fanout(self.read)
        self.reading = asyncio.Event()
        self.released = asyncio.Event()
        self.failure: Exception | None = None

    def commit(self, event: Event) -> None:
        self.events.append(event)
        self.fanout.publish(1, event)

    async def read(self, session_no: int, query: EventQuery) -> EventPage:
        assert session_no == 1
        found = [event for event in self.events if event.seq > query.after][: query.limit + 1]
        self.reading.set()
        await self.released.wait()
        if self.failure is not None:
            raise self.failure
        return EventPage(found[: query.limit], 0, len(found) > query.limit)


async def read_while(log: HeldLog, read: Awaitable[list[Event]], seqs: range) -> list[int]:
    pending = asyncio.ensure_future(read)
    await log.reading.wait()
    for seq in seqs:
        log.commit(make_event(seq))
    log.released.set()
    return [event.seq for event in await pending]


async def test_events_committed_during_the_first_read_follow_it_once() -> None:
    log = HeldLog()
    log.commit(make_event(1))
    tail = log.fanout.follow(1, 0, None)
    assert await read_while(log, tail.read(), range(2, 4)) == [1]
    assert [event.seq for event in await tail.read()] == [2, 3]


async def test_events_committed_during_a_read_that_finds_none_are_returned_by_it() -> None:
    log = HeldLog()
    tail = log.fanout.follow(1, 0, None)
    with anyio.fail_after(5):
        assert await read_while(log, tail.read(), range(1, 3)) == [1, 2]


async def test_more_events_than_fit_during_the_first_read_are_read_again() -> None:
    log = HeldLog()
    tail = log.fanout.follow(1, 0, None)
    count = MAX_BUFFERED_EVENTS + 50
    seen = await read_while(log, tail.read(), range(1, count + 1))
    while seen[-1] < count:
        seen += [event.seq for event in await tail.read()]
    assert seen == list(range(1, count + 1))


async def test_a_read_that_fails_is_made_again_from_the_same_place() -> None:
    log = HeldLog()
    log.released.set()
    log.commit(make_event(1))
    tail = log.fanout.follow(1, 0, None)
    log.failure = StoreUnavailable("gone")
    with pytest.raises(StoreUnavailable):
        await tail.read()
    log.commit(make_event(2))
    log.failure = None
    assert [event.seq for event in await tail.read()] == [1, 2]
