"""Broadcasts and receipts, the same for every engine."""

from __future__ import annotations

import asyncio

import pytest

from switchroom.server.models import DeliveryStatus, Receipt
from switchroom.server.store import Retention, Store
from tests.support.stores import START, OpenStore, make_broadcast, named

pytestmark = pytest.mark.anyio

PENDING, DELIVERED, QUEUED = DeliveryStatus.PENDING, DeliveryStatus.DELIVERED, DeliveryStatus.QUEUED


def receipt(session_id: str, status: DeliveryStatus, **values: object) -> Receipt:
    return Receipt(session_id, status, START + 1)._replace(**values)  # type: ignore[arg-type]


async def test_a_broadcast_begins_with_a_pending_receipt_for_each_recipient(store: Store) -> None:
    created = await store.broadcasts.create(make_broadcast("B1", text="caf\u00e9 \0\ud800"), named(["s2", "s1", "s2"]))
    assert (created.audience, created.counts["pending"], sum(created.counts.values())) == (2, 2, 2)
    assert set(created.counts) == {status.value for status in DeliveryStatus}
    assert created.text == "caf\u00e9 \ufffd\ufffd" and created.filter == "state:live"
    assert await store.broadcasts.get("B1") == created
    assert await store.broadcasts.get("B2") is None
    expected = [Receipt(each, PENDING, START, client="tester") for each in ("s1", "s2")]
    assert await store.broadcasts.receipts("B1") == expected


async def test_settling_moves_the_figures_and_they_still_add_up(store: Store) -> None:
    await store.broadcasts.create(make_broadcast("B1"), named([f"s{number}" for number in range(10)]))
    settled = [receipt(f"s{number}", DELIVERED, seq=number) for number in range(4)]
    settled += [receipt("s4", QUEUED), receipt("s5", DeliveryStatus.FAILED, reason="no\0 room"), receipt("zz", QUEUED)]
    await store.broadcasts.settle("B1", settled)
    await store.broadcasts.settle("B1", [receipt("s4", DELIVERED, seq=9), receipt("s0", DELIVERED, seq=0)])
    broadcast = await store.broadcasts.get("B1")
    assert broadcast is not None
    assert {name: count for name, count in broadcast.counts.items() if count} == {
        "pending": 4,
        "delivered": 5,
        "failed": 1,
    }
    (failed,) = await store.broadcasts.receipts("B1", status=DeliveryStatus.FAILED)
    assert failed == Receipt("s5", DeliveryStatus.FAILED, START + 1, "no\ufffd room", None, "tester")


async def test_settling_an_unknown_broadcast_does_nothing(store: Store) -> None:
    await store.broadcasts.settle("B9", [receipt("s1", DELIVERED)])
    await store.broadcasts.set_status("B9", "done")
    assert await store.broadcasts.list() == []
    assert await store.broadcasts.receipts("B9") == []


async def test_a_known_idempotency_key_returns_the_first_broadcast(store: Store) -> None:
    first, second = await asyncio.gather(
        store.broadcasts.create(make_broadcast("B1", idempotency_key="k"), named(["s1"])),
        store.broadcasts.create(make_broadcast("B2", idempotency_key="k"), named(["s1", "s2"])),
    )
    assert first == second and first.id == "B1" and first.audience == 1
    await store.broadcasts.create(make_broadcast("B3"), named([]))
    await store.broadcasts.create(make_broadcast("B4"), named([]))
    assert [broadcast.id for broadcast in await store.broadcasts.list()] == ["B4", "B3", "B1"]


async def test_broadcasts_are_listed_newest_first_in_pages(store: Store) -> None:
    for number in range(5):
        await store.broadcasts.create(make_broadcast(f"B{number}"), named(["s1"]))
    await store.broadcasts.set_status("B4", "done")
    first = await store.broadcasts.list(limit=2)
    assert [(broadcast.id, broadcast.status) for broadcast in first] == [("B4", "done"), ("B3", "sending")]
    rest = await store.broadcasts.list(before="B3")
    assert [broadcast.id for broadcast in rest] == ["B2", "B1", "B0"]
    assert await store.broadcasts.list(before="unknown") == []


async def test_receipts_are_read_by_session_in_pages(store: Store) -> None:
    await store.broadcasts.create(make_broadcast("B1"), named([f"s{number:03}" for number in range(25)]))
    first = await store.broadcasts.receipts("B1", limit=10)
    second = await store.broadcasts.receipts("B1", limit=1_000, after=first[-1].session_id)
    names = [found.session_id for found in first + second]
    assert names == [f"s{number:03}" for number in range(25)]


async def test_what_is_queued_and_not_expired_is_found_at_start_up(store: Store) -> None:
    for name, expires_at in (("B1", START + 600), ("B2", START + 10)):
        await store.broadcasts.create(make_broadcast(name, expires_at=expires_at), named(["s1", "s2", "s3"]))
        await store.broadcasts.settle(name, [receipt("s2", QUEUED, seq=7), receipt("s1", DELIVERED)])
    queued = await store.broadcasts.queued(START + 100)
    assert queued == [("B1", Receipt("s2", QUEUED, START + 1, None, 7, "tester"))]
    await store.broadcasts.settle("B1", [receipt("s2", DELIVERED)])
    assert await store.broadcasts.queued(START + 100) == []


async def test_a_sweep_removes_old_broadcasts_with_their_receipts(open_store: OpenStore) -> None:
    store = await open_store(Retention(broadcast_seconds=100))
    await store.broadcasts.create(make_broadcast("B1"), named([f"s{number}" for number in range(1_500)]))
    await store.broadcasts.create(make_broadcast("B2", created_at=START + 90), named(["s1"]))
    assert await store.sessions.sweep(START + 120) == 1_501
    assert [broadcast.id for broadcast in await store.broadcasts.list()] == ["B2"]
    assert await store.broadcasts.receipts("B1") == []
