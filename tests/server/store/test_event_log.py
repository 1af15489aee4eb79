"""The event log's promises, the same for every engine."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from switchroom.server.models import Direction, EventKind
from switchroom.server.store import EventQuery, Store
from tests.support.stores import START, fill, make_event

pytestmark = pytest.mark.anyio


async def test_an_acknowledged_event_is_read_back_whole(store: Store) -> None:
    event = make_event(
        1,
        epoch=3,
        at=START + 0.123456,
        direction=Direction.FROM_SERVER,
        kind=EventKind.ERROR,
        stream=7,
        request_id='"5"',
        size_bytes=90_000,
        duration_us=1234,
        error_code=-32603,
        related_seq=0,
        expires_at=START + 60,
        payload='{"text":"caf\\u00e9"}',
    )
    await store.events.append(1, event)
    page = await store.events.read(1, EventQuery())
    assert page == ([event], 0, False)
    assert type(page.events[0].kind) is EventKind and type(page.events[0].direction) is Direction


async def test_events_are_read_in_the_order_of_their_calls(store: Store) -> None:
    await asyncio.gather(*(store.events.append(no, make_event(seq)) for seq in range(1, 51) for no in (1, 2, 3)))
    for no in (1, 2, 3):
        page = await store.events.read(no, EventQuery())
        assert [event.seq for event in page.events] == list(range(1, 51))


async def test_futures_resolve_in_the_order_of_their_calls(store: Store) -> None:
    resolved: list[int] = []
    futures = [store.events.append(1, make_event(seq)) for seq in range(1, 101)]
    for seq, future in enumerate(futures, start=1):
        future.add_done_callback(lambda _, seq=seq: resolved.append(seq))  # type: ignore[misc]
    await asyncio.gather(*futures)
    assert resolved == list(range(1, 101))


async def test_writes_that_nobody_waits_for_keep_their_order(store: Store) -> None:
    tail = store.events.tail(1, 0)
    store.events.write(1, make_event(1))
    store.events.write(1, make_event(2))
    await store.events.append(1, make_event(3))
    assert [event.seq for event in (await store.events.read(1, EventQuery())).events] == [1, 2, 3]
    store.events.write(1, make_event(4))
    seen: list[int] = []
    with anyio.fail_after(5):
        while len(seen) < 4:
            seen += [event.seq for event in await tail.read()]
    assert seen == [1, 2, 3, 4]
    tail.close()


async def test_a_cursor_walks_through_a_log_without_gap_or_double(store: Store) -> None:
    await fill(store, 1, 25)
    seen: list[int] = []
    after, has_more = 0, True
    while has_more:
        page = await store.events.read(1, EventQuery(after=after, limit=10))
        seen += [event.seq for event in page.events]
        after, has_more = seen[-1], page.has_more
    assert seen == list(range(1, 26))


async def test_the_newest_events_come_first_when_asked_for(store: Store) -> None:
    await fill(store, 1, 25)
    page = await store.events.read(1, EventQuery(limit=3, newest_first=True))
    assert [event.seq for event in page.events] == [25, 24, 23] and page.has_more
    older = await store.events.read(1, EventQuery(limit=30, newest_first=True, before=23))
    assert [event.seq for event in older.events] == list(range(22, 0, -1)) and not older.has_more


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (EventQuery(stream=0), [3]),
        (EventQuery(kinds=(EventKind.RESPONSE, EventKind.NOTIFICATION)), [2, 3]),
        (EventQuery(method="tools/call"), [1, 2]),
        (EventQuery(direction=Direction.FROM_SERVER), [2, 3]),
        (EventQuery(errors_only=True), [2]),
        (EventQuery(request_id="5"), [1, 2]),
        (EventQuery(request_id='"5"'), []),
        (EventQuery(after=1, before=3), [2]),
        (EventQuery(kinds=(EventKind.REQUEST,), newest_first=True), [1]),
        (EventQuery(method="' OR 1=1 --"), []),
        (EventQuery(since=START + 2), [2, 3]),
        (EventQuery(until=START + 2), [1]),
        (EventQuery(since=START + 2, until=START + 3, newest_first=True), [2]),
    ],
)
async def test_a_query_restricts_what_is_read(store: Store, query: EventQuery, expected: list[int]) -> None:
    answer = {"kind": EventKind.RESPONSE, "direction": Direction.FROM_SERVER, "error_code": 0}
    note = {"kind": EventKind.NOTIFICATION, "direction": Direction.FROM_SERVER, "method": "notifications/message"}
    await store.events.append(1, make_event(1, request_id="5", stream=1))
    await store.events.append(1, make_event(2, request_id="5", stream=1, **answer))
    await store.events.append(1, make_event(3, request_id=None, stream=0, **note))
    page = await store.events.read(1, query)
    assert [event.seq for event in page.events] == expected


async def test_a_list_reads_small_payloads_and_leaves_large_ones_where_they_are(store: Store) -> None:
    await store.events.append(1, make_event(1, payload='{"a":1}', size_bytes=7))
    await store.events.append(1, make_event(2, payload='"' + "x" * 50 + '"', size_bytes=52))
    page = await store.events.read(1, EventQuery(payload_up_to=20))
    assert [(event.payload, event.size_bytes) for event in page.events] == [('{"a":1}', 7), (None, 52)]


async def test_one_event_is_found_by_its_number(store: Store) -> None:
    await fill(store, 1, 3)
    assert await store.events.get(1, 2) == make_event(2)
    assert await store.events.get(1, 4) is None
    assert await store.events.get(1, 0) is None
    assert await store.events.get(9, 1) is None


async def test_a_page_of_large_payloads_stays_bounded(store: Store) -> None:
    payload = '"' + "x" * 1_000_000 + '"'
    for seq in range(1, 13):
        await store.events.append(1, make_event(seq, payload=payload))
    page = await store.events.read(1, EventQuery(limit=1_000))
    assert 1 < len(page.events) < 12 and page.has_more
    rest = await store.events.read(1, EventQuery(after=page.events[-1].seq, limit=1_000))
    assert rest.events[-1].seq == 12 and not rest.has_more


@pytest.mark.parametrize("limit", [-1, 0, 5_000])
async def test_a_limit_out_of_bounds_is_brought_within_them(store: Store, limit: int) -> None:
    await fill(store, 1, 1_005)
    page = await store.events.read(1, EventQuery(limit=limit))
    assert len(page.events) == max(1, min(limit, 1_000)) and page.has_more


async def test_hostile_text_is_kept_harmless_and_the_same_everywhere(store: Store) -> None:
    tail = store.events.tail(1, 0)
    await tail.read(timeout=0)
    hostile = make_event(
        1, method="a\0b\ud800", request_id='"\ud800"', payload='{"k":"\u00e9\ud83d"}', error_code=10**30
    )
    await store.events.append(1, hostile)
    (kept,) = (await store.events.read(1, EventQuery())).events
    assert kept.method == "a\ufffdb\ufffd"
    assert kept.request_id == '"\\ud800"' and kept.payload == '{"k":"\\u00e9\\ud83d"}'
    assert kept.error_code == 2**63 - 1
    assert await tail.read() == [kept]
    tail.close()
