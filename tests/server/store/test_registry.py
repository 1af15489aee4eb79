"""The registry's promises, the same for every engine."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from switchroom.server.errors import InvalidInput
from switchroom.server.filters import parse_filter
from switchroom.server.ids import hash_secret
from switchroom.server.models import EndedId, SessionKind, SessionRecord, SessionState
from switchroom.server.store import EventQuery, KeyLimits, Retention, Store
from tests.support.stores import START, Clock, OpenStore, make_ended, make_event, make_record

pytestmark = pytest.mark.anyio

EVERYTHING = parse_filter("")


def full_record(no: int) -> SessionRecord:
    return SessionRecord(
        no=no,
        id="0123456789ABC",
        kind=SessionKind.SSE,
        state=SessionState.DETACHED,
        server="tickets",
        worker_id="w2",
        created_at=START + 0.25,
        last_activity_at=START + 1.5,
        sid_hash=hash_secret("secret"),
        sid_prefix="secretse",
        epoch=3,
        epochs=[(1, 1), (3, 17)],
        principal="user-17",
        principal_key='["iss","client","sub"]',
        client_name="inspector",
        client_version="0.17.1",
        protocol_version="2025-11-25",
        address="192.0.2.1",
        init='{"capabilities":{}}',
        is_initialized=True,
        ended_at=START + 2,
        end_code="operator",
        end_by="ada",
        end_reason="maintenance",
        request_count=12,
        error_count=2,
        bytes_in=345,
        bytes_out=6789,
        delivered_seq=4,
        log_level="warning",
        idle_seconds=60.0,
        history='[[1.5,"initializing","initialize",null,null]]',
        lifetime_seconds=3600.0,
    )


async def test_a_saved_record_comes_back_whole(store: Store) -> None:
    record = full_record(store.sessions.allocate())
    await store.sessions.save(record)
    assert await store.sessions.load_live() == [record]
    assert await store.sessions.find(sid_hash=record.sid_hash) == record
    assert await store.sessions.find(session_id=record.id) == record
    assert await store.sessions.find(sid_hash=hash_secret("other")) is None
    assert await store.sessions.find(session_id="nobody") is None


async def test_a_save_keeps_the_values_of_the_call(store: Store) -> None:
    record = make_record(1, epochs=[(1, 1)])
    saved = store.sessions.save(record)
    record.request_count = 99
    record.epochs.append((2, 5))
    await saved
    (kept,) = await store.sessions.load_live()
    assert kept.request_count == 0 and kept.epochs == [(1, 1)]


async def test_the_last_save_of_a_session_wins(store: Store) -> None:
    first = store.sessions.save(make_record(1, request_count=1))
    many = store.sessions.save_many([make_record(no, request_count=2) for no in (1, 2, 3)])
    last = store.sessions.save(make_record(1, request_count=3))
    await asyncio.gather(first, many, last)
    live = await store.sessions.load_live()
    assert {record.no: record.request_count for record in live} == {1: 3, 2: 2, 3: 2}


async def test_only_sessions_that_have_not_ended_are_live(store: Store) -> None:
    await store.sessions.save_many([make_record(no, state=state) for no, state in enumerate(SessionState, start=1)])
    live = await store.sessions.load_live()
    assert {record.state for record in live} == {state for state in SessionState if state.is_live}


async def test_the_newest_session_with_a_secret_is_found(store: Store) -> None:
    secret = hash_secret("again")
    await store.sessions.save_many([make_record(no, sid_hash=secret) for no in (4, 6, 5)])
    found = await store.sessions.find(sid_hash=secret)
    assert found is not None and found.no == 6


async def test_the_log_says_where_a_log_ends_not_the_row(store: Store) -> None:
    await store.sessions.save(make_record(1, last_seq=1))
    for seq in range(1, 8):
        await store.events.append(1, make_event(seq))
    (record,) = await store.sessions.load_live()
    assert record.last_seq == 7
    await store.sessions.save(make_record(1, last_seq=500))
    (record,) = await store.sessions.load_live()
    assert record.last_seq == 7


async def test_the_keys_say_how_many_they_are_not_the_row(store: Store, clock: Clock) -> None:
    await store.sessions.save(make_record(1, key_count=9))
    await store.keys.put(1, "a", "1", size_bytes=1, limits=KeyLimits())
    await store.keys.put(1, "b", "1", size_bytes=1, expires_at=clock.now + 5, limits=KeyLimits())
    assert (await store.sessions.load_live())[0].key_count == 2
    clock.now += 10
    assert (await store.sessions.load_live())[0].key_count == 1


async def test_a_stale_record_does_not_undo_what_retention_noted(open_store: OpenStore) -> None:
    store = await open_store(Retention(max_events=100))
    await store.sessions.save(make_record(1))
    await asyncio.gather(*(store.events.append(1, make_event(seq)) for seq in range(1, 301)))
    await store.sessions.save(make_record(1, trimmed_seq=0))
    (record,) = await store.sessions.load_live()
    assert record.trimmed_seq == (await store.events.read(1, EventQuery())).dropped > 0


async def test_hostile_names_are_kept_harmless(store: Store) -> None:
    await store.sessions.save(make_record(1, client_name="a\0b\ud800c", address="é", init='{"n":"\ud800é"}'))
    (record,) = await store.sessions.load_live()
    assert record.client_name == "a\ufffdb\ufffdc" and record.address == "é"
    assert record.init == '{"n":"\\ud800\\u00e9"}'


async def test_numbers_are_handed_out_once(store: Store) -> None:
    numbers = [store.sessions.allocate() for _ in range(100)]
    assert len(set(numbers)) == 100 and min(numbers) > 0


async def test_ended_sessions_are_listed_newest_first_and_clients_never(store: Store) -> None:
    await store.sessions.save_many([make_ended(no, last_activity_at=START + no) for no in range(1, 6)])
    await store.sessions.save(make_ended(6, kind=SessionKind.CLIENT))
    await store.sessions.save(make_record(7))
    ended = await store.sessions.ended(EVERYTHING, now=START)
    assert [record.no for record in ended] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("sort", ["last_seen", "created", "requests", "errors", "client", "keys"])
@pytest.mark.parametrize("direction", ["", "-"])
async def test_pages_of_any_order_join_without_gap_or_double(store: Store, sort: str, direction: str) -> None:
    attributes = {
        "last_seen": "last_activity_at",
        "created": "created_at",
        "requests": "request_count",
        "errors": "error_count",
        "client": "client_name",
        "keys": "key_count",
    }
    records = [
        make_ended(
            no,
            last_activity_at=START + no % 5,
            created_at=START + no % 4,
            request_count=no % 3,
            error_count=no % 2,
            client_name=("Zed", "alpha", "ärger", "")[no % 4],
            key_count=no % 6,
        )
        for no in range(1, 41)
    ]
    await store.sessions.save_many(records)
    expected = sorted(
        records, key=lambda record: (getattr(record, attributes[sort]), record.id), reverse=direction == "-"
    )
    listed: list[SessionRecord] = []
    after: tuple[float | int | str, str] | None = None
    while page := await store.sessions.ended(EVERYTHING, now=START, sort=f"{direction}{sort}", limit=7, after=after):
        listed += page
        after = (getattr(page[-1], attributes[sort]), page[-1].id)
    assert [record.no for record in listed] == [record.no for record in expected]


async def test_an_unknown_order_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput, match="Cannot sort"):
        await store.sessions.ended(EVERYTHING, now=START, sort="no; DROP TABLE session")


async def test_ended_sessions_are_filtered_and_counted_by_state(store: Store) -> None:
    await store.sessions.save_many(
        [
            make_ended(1, client_name="Inspector", error_count=3),
            make_ended(2, state=SessionState.EXPIRED, client_name="inspector"),
            make_ended(3, state=SessionState.REJECTED),
            make_ended(4, kind=SessionKind.CLIENT, client_name="inspector"),
            make_record(5, client_name="inspector"),
        ]
    )
    assert await store.sessions.count_ended(EVERYTHING, now=START) == {"closed": 1, "expired": 1, "rejected": 1}
    inspectors = parse_filter("client:inspector")
    assert await store.sessions.count_ended(inspectors, now=START) == {"closed": 1, "expired": 1}
    found = await store.sessions.ended(parse_filter("client:INSPECT* errors:>0"), now=START)
    assert [record.no for record in found] == [1]


async def test_a_sweep_removes_ended_sessions_with_their_logs_and_keys(open_store: OpenStore) -> None:
    store = await open_store(Retention(ended_session_seconds=1_000, rejected_session_seconds=100))
    await store.sessions.save_many(
        [
            make_ended(1, ended_at=START),
            make_ended(2, ended_at=START + 500),
            make_ended(3, ended_at=START + 950, state=SessionState.REJECTED),
            make_ended(4, ended_at=None, last_activity_at=START),
            make_record(5),
        ]
    )
    for no in range(1, 6):
        await store.events.append(no, make_event(1, at=START + 1_000))
        await store.keys.put(no, "k", "1", size_bytes=1, limits=KeyLimits())
    assert await store.sessions.sweep(START + 1_100) == 9
    assert await store.sessions.count_ended(EVERYTHING, now=START) == {"closed": 1}
    for no, is_kept in ((1, False), (2, True), (3, False), (4, False), (5, True)):
        assert bool((await store.events.read(no, EventQuery())).events) is is_kept
        assert bool(await store.keys.list(no)) is is_kept
    assert await store.sessions.sweep(START + 1_100) == 0


async def test_the_ids_of_dropped_sessions_are_remembered_with_their_ends(open_store: OpenStore) -> None:
    store = await open_store(Retention(ended_session_seconds=1_000, ended_id_seconds=5_000))
    told = dataclasses.replace(full_record(1), state=SessionState.EXPIRED)
    secret = told.sid_hash
    assert secret is not None
    await store.sessions.save_many([told, make_ended(2), make_record(3, sid_hash=hash_secret("live"))])
    await store.sessions.sweep(START + 500)
    assert await store.sessions.ended_id(secret) is None, "the session itself still says so"
    await store.sessions.sweep(START + 1_500)
    assert await store.sessions.find(sid_hash=secret) is None
    assert await store.sessions.ended_id(secret) == EndedId(
        sid_hash=secret,
        session_id="0123456789ABC",
        kind=SessionKind.SSE,
        state=SessionState.EXPIRED,
        server="tickets",
        client_name="inspector",
        client_version="0.17.1",
        principal_key='["iss","client","sub"]',
        end_code="operator",
        end_by="ada",
        end_reason="maintenance",
        ended_at=START + 2,
    )
    assert await store.sessions.ended_id(hash_secret("live")) is None
    assert await store.sessions.sweep(START + 5_002) == 1
    assert await store.sessions.ended_id(secret) is None


async def test_a_refused_handshake_is_not_remembered(open_store: OpenStore) -> None:
    store = await open_store(Retention(rejected_session_seconds=100))
    await store.sessions.save(make_ended(1, sid_hash=hash_secret("no"), state=SessionState.REJECTED))
    assert await store.sessions.sweep(START + 200) == 1
    assert await store.sessions.ended_id(hash_secret("no")) is None


async def test_no_more_ended_ids_are_remembered_than_allowed(open_store: OpenStore) -> None:
    store = await open_store(Retention(ended_session_seconds=10, max_ended_ids=3))
    hashes = [hash_secret(str(no)) for no in range(1, 6)]
    for no, sid_hash in enumerate(hashes, start=1):
        await store.sessions.save(make_ended(no, sid_hash=sid_hash))
        await store.sessions.sweep(START + 20)
    kept = [await store.sessions.ended_id(sid_hash) is not None for sid_hash in hashes]
    assert kept == [False, False, True, True, True]


async def test_records_handed_out_are_copies(store: Store) -> None:
    await store.sessions.save(make_record(1))
    (record,) = await store.sessions.load_live()
    record.request_count = 50
    record.epochs.append((9, 9))
    assert (await store.sessions.load_live())[0] == dataclasses.replace(record, request_count=0, epochs=[(1, 1)])


@pytest.mark.parametrize(
    "q", ["state:active", "state:live", "state:ended", "-state:ended", "state:closed -state:closed"]
)
@pytest.mark.parametrize("sort", ["-last_seen", "requests"])
async def test_every_filter_of_states_can_be_asked(store: Store, q: str, sort: str) -> None:
    await store.sessions.save(make_ended(1))
    expected = [1] if q == "state:ended" else []
    found = await store.sessions.ended(parse_filter(q), now=START, sort=sort)
    assert [record.no for record in found] == expected
    assert sum((await store.sessions.count_ended(parse_filter(q), now=START)).values()) == len(expected)
    assert await store.sessions.ended_numbers(parse_filter(q), now=START, limit=5) == expected
