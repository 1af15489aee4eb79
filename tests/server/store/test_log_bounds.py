"""How logs are cut back: by count, bytes and age, for a session and for each stream in it."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest

from switchroom.server.models import Direction, Event, EventKind
from switchroom.server.store import EventQuery, Retention, Store
from tests.support.stores import START, OpenStore, fill, make_event, make_record

pytestmark = pytest.mark.anyio


async def test_a_log_is_cut_back_to_its_count_and_says_what_it_dropped(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_events=100))
    await store.sessions.save(make_record(1))
    await fill(store, 1, 1_000)
    page = await store.events.read(1, EventQuery(limit=1_000))
    assert 100 <= len(page.events) <= 164
    assert page.events[0].seq == page.dropped + 1 and page.events[-1].seq == 1_000
    assert (await store.events.read(1, EventQuery(after=page.dropped))).dropped == 0
    assert (await store.events.read(1, EventQuery(after=500))).dropped == page.dropped - 500
    assert (await store.events.read(1, EventQuery(after=10, before=20))).dropped == 9
    assert (await store.events.read(1, EventQuery(newest_first=True, limit=10))).dropped == 0
    assert await store.events.get(1, page.dropped) is None
    record = await store.sessions.find(session_id="SESSION000001")
    assert record is not None and (record.trimmed_seq, record.last_seq) == (page.dropped, 1_000)


async def test_a_log_is_cut_back_to_its_bytes_but_keeps_its_newest_event(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_bytes=64 * 1024))
    payload = '"' + "x" * 1_000 + '"'
    await asyncio.gather(*(store.events.append(1, make_event(seq, payload=payload)) for seq in range(1, 301)))
    page = await store.events.read(1, EventQuery(limit=1_000))
    assert 50 <= len(page.events) <= 80 and page.events[-1].seq == 300
    await store.events.append(1, make_event(301, payload='"' + "x" * 200_000 + '"'))
    page = await store.events.read(1, EventQuery())
    assert [event.seq for event in page.events] == [301] and page.dropped == 300


async def test_a_sweep_drops_events_by_age_and_remembers_where_the_log_ended(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_age_seconds=100))
    await store.sessions.save(make_record(1))
    await fill(store, 1, 50)
    assert await store.sessions.sweep(START + 130) == 30
    page = await store.events.read(1, EventQuery())
    assert page.dropped == 30 and [event.seq for event in page.events] == list(range(31, 51))
    assert await store.sessions.sweep(START + 1_000) == 20
    page = await store.events.read(1, EventQuery())
    assert page == ([], 50, False)
    record = await store.sessions.find(session_id="SESSION000001")
    assert record is not None and (record.last_seq, record.trimmed_seq) == (50, 50)
    await store.events.append(1, make_event(51, at=START + 1_000))
    page = await store.events.read(1, EventQuery())
    assert page.dropped == 50 and [event.seq for event in page.events] == [51]


async def test_a_sweep_of_many_events_takes_them_all(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_age_seconds=10, max_events=10_000))
    await fill(store, 1, 2_500)
    await fill(store, 2, 700)
    assert await store.sessions.sweep(START + 10_000) == 3_200
    assert (await store.events.read(2, EventQuery())).events == []


def sent(seq: int, stream: int, **values: Any) -> Event:
    """Return what the server sent on a stream."""
    return make_event(
        seq,
        direction=Direction.FROM_SERVER,
        kind=EventKind.NOTIFICATION,
        method="notifications/progress",
        stream=stream,
        request_id=None,
        **values,
    )


async def fill_stream(store: Store, first: int, count: int, stream: int, **values: Any) -> None:
    await asyncio.gather(*(store.events.append(1, sent(seq, stream, **values)) for seq in range(first, first + count)))


async def test_a_stream_is_cut_back_to_its_count_and_the_rest_of_the_log_stays(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_stream_events=100))
    await store.sessions.save(make_record(1))
    await store.events.append(1, make_event(1, stream=1))
    await fill_stream(store, 2, 500, stream=1)
    answer = sent(502, 1)._replace(kind=EventKind.RESPONSE, request_id="1")
    await store.events.append(1, answer)
    await store.events.append(1, make_event(503))
    log = (await store.events.read(1, EventQuery(limit=1_000))).events
    kept = [event.seq for event in log if event.kind is EventKind.NOTIFICATION]
    assert 100 <= len(kept) <= 117 and kept == list(range(kept[0], 502))
    assert [log[0].seq, log[-2], log[-1].seq] == [1, answer, 503]
    assert await store.events.get(1, kept[0] - 1) is None
    assert (await store.events.get(1, kept[0])) == log[1]
    older = await store.events.read(1, EventQuery(before=kept[0] + 1, newest_first=True))
    assert [event.seq for event in older.events] == [kept[0], 1] and not older.dropped


async def test_who_follows_a_stream_is_told_what_it_dropped_and_others_are_not(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_stream_events=100))
    await store.events.append(1, make_event(1))
    await fill_stream(store, 2, 300, stream=0)
    await store.events.append(1, make_event(302, stream=302))
    page = await store.events.read(1, EventQuery(stream=0, after=50, limit=1_000))
    assert page.dropped == page.events[0].seq - 1 - 50
    assert (await store.events.read(1, EventQuery(stream=0, after=page.events[0].seq))).dropped == 0
    assert (await store.events.read(1, EventQuery(stream=302))).dropped == 0
    tail = store.events.tail(1, 50, stream=0)
    with anyio.fail_after(5):
        assert (await tail.read())[0].seq == page.events[0].seq and tail.dropped == page.dropped
    tail.close()


async def test_a_stream_is_cut_back_to_its_bytes(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_stream_bytes=64 * 1024))
    await fill_stream(store, 1, 300, stream=0, payload='"' + "x" * 1_000 + '"')
    await fill(store, 2, 10)
    kept = (await store.events.read(1, EventQuery(limit=1_000))).events
    assert 55 <= len(kept) <= 73 and kept[-1].seq == 300
    assert len((await store.events.read(2, EventQuery())).events) == 10


async def test_a_log_with_a_stream_cut_back_still_keeps_to_its_own_bounds(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_events=400, max_stream_events=100))
    await store.sessions.save(make_record(1))
    await fill_stream(store, 1, 600, stream=0)
    await asyncio.gather(*(store.events.append(1, make_event(seq)) for seq in range(601, 801)))
    log = (await store.events.read(1, EventQuery(limit=1_000))).events
    assert 300 <= len(log) <= 317, "the stream's dropped events count no more"
    await asyncio.gather(*(store.events.append(1, make_event(seq)) for seq in range(801, 1_401)))
    page = await store.events.read(1, EventQuery(limit=1_000))
    assert 400 <= len(page.events) <= 500 and page.events[-1].seq == 1_400
    assert page.dropped == page.events[0].seq - 1
    record = await store.sessions.find(session_id="SESSION000001")
    assert record is not None and (record.trimmed_seq, record.last_seq) == (page.dropped, 1_400)


async def test_a_sweep_drops_what_streams_carried_by_age_and_leaves_answers(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_stream_age_seconds=100))
    await store.sessions.save(make_record(1))
    await store.events.append(1, make_event(1, stream=1))
    await fill_stream(store, 2, 20, stream=1)
    await store.events.append(1, sent(22, 1)._replace(kind=EventKind.RESPONSE))
    await store.events.append(1, sent(23, 0, expires_at=START + 10_000))
    await store.events.append(1, sent(24, 0))
    await store.sessions.sweep(START + 1_000)
    log = (await store.events.read(1, EventQuery())).events
    assert [event.seq for event in log] == [1, 22, 23, 24], "the newest event of a log says where its numbers go on"
    assert (await store.events.read(1, EventQuery(stream=1, after=1))).dropped == 20
    record = await store.sessions.find(session_id="SESSION000001")
    assert record is not None and record.last_seq == 24
