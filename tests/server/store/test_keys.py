"""Stored keys, the same for every engine."""

from __future__ import annotations

import asyncio

import pytest

from switchroom.server.errors import Conflict, LimitReached
from switchroom.server.models import StoredKey
from switchroom.server.store import KeyLimits, Store
from tests.support.stores import Clock

pytestmark = pytest.mark.anyio

LIMITS = KeyLimits(max_keys=3, max_value_bytes=100, max_total_bytes=150)


async def put(store: Store, name: str, value: str = "1", **options: object) -> StoredKey:
    given: dict[str, object] = {"size_bytes": len(value), "limits": LIMITS}
    return await store.keys.put(1, name, value, **(given | options))  # type: ignore[arg-type]


async def test_a_value_is_read_back_with_its_version(store: Store, clock: Clock) -> None:
    assert await put(store, "cart", "[1]") == StoredKey("cart", "[1]", 1, 3, clock.now)
    clock.now += 5
    second = await put(store, "cart", "[1,2]")
    assert second == StoredKey("cart", "[1,2]", 2, 5, clock.now)
    assert await store.keys.get(1, "cart") == second
    assert await store.keys.get(1, "other") is None
    assert await store.keys.get(2, "cart") is None


async def test_a_secret_keeps_its_sealed_bytes_apart(store: Store) -> None:
    key = await store.keys.put(1, "token", None, sealed=b"\0sealed", key_id="k1", size_bytes=7, limits=LIMITS)
    assert (key.value, key.key_id) == (None, "k1")
    assert await store.keys.list(1) == [key]
    assert await store.keys.sealed(1, "token") == b"\0sealed"
    await put(store, "plain")
    assert await store.keys.sealed(1, "plain") is None
    assert await store.keys.sealed(1, "absent") is None


async def test_keys_are_listed_by_name(store: Store) -> None:
    for name in ("b", "ä", "B"):
        await put(store, name)
    assert [key.name for key in await store.keys.list(1)] == ["B", "b", "ä"]


async def test_a_write_that_expects_another_version_changes_nothing(store: Store) -> None:
    await put(store, "n", "1", if_version=0)
    with pytest.raises(Conflict) as conflict:
        await put(store, "n", "2", if_version=0)
    assert conflict.value.detail == {"version": 1}
    await put(store, "n", "3", if_version=1)
    with pytest.raises(Conflict):
        await store.keys.delete(1, "n", if_version=1)
    key = await store.keys.get(1, "n")
    assert key is not None and (key.value, key.version) == ("3", 2)
    assert await store.keys.delete(1, "n", if_version=2)


async def test_of_many_writers_of_one_version_one_wins(store: Store) -> None:
    await put(store, "n", "0")
    results = await asyncio.gather(
        *(put(store, "n", str(number), if_version=1) for number in range(10)), return_exceptions=True
    )
    assert sum(isinstance(result, StoredKey) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 9


async def test_limits_refuse_without_changing_anything(store: Store) -> None:
    await put(store, "a", "x" * 80)
    with pytest.raises(LimitReached, match="at most 100 bytes"):
        await put(store, "a", "x" * 101)
    with pytest.raises(LimitReached, match="150 bytes in all"):
        await put(store, "b", "x" * 80)
    await put(store, "b")
    await put(store, "c")
    with pytest.raises(LimitReached, match="at most 3 keys"):
        await put(store, "d")
    assert [(key.name, key.version) for key in await store.keys.list(1)] == [("a", 1), ("b", 1), ("c", 1)]


async def test_replacing_a_value_does_not_count_the_old_one(store: Store) -> None:
    await put(store, "a", "x" * 100)
    await put(store, "a", "y" * 100)
    await put(store, "b", "y" * 50)
    assert len(await store.keys.list(1)) == 2


async def test_an_expired_key_is_as_good_as_absent(store: Store, clock: Clock) -> None:
    for name in ("a", "b", "c"):
        await put(store, name, expires_at=clock.now + 10)
    clock.now += 10
    assert await store.keys.get(1, "a") is None
    assert await store.keys.sealed(1, "a") is None
    assert await store.keys.list(1) == []
    assert not await store.keys.delete(1, "a")
    again = await put(store, "a", if_version=0)
    assert again.version == 1
    await put(store, "d")
    assert len(await store.keys.drop_expired(clock.now)) == 2
    assert [key.name for key in await store.keys.list(1)] == ["a", "d"]


async def test_keys_whose_time_is_up_are_dropped_and_named(store: Store, clock: Clock) -> None:
    assert await store.keys.drop_expired(clock.now) == []
    await put(store, "short", expires_at=clock.now + 10)
    await put(store, "long", expires_at=clock.now + 100)
    await put(store, "for ever")
    clock.now += 50
    assert await store.keys.drop_expired(clock.now) == [(1, "short")]
    assert await store.keys.drop_expired(clock.now) == []
    assert [key.name for key in await store.keys.list(1)] == ["for ever", "long"]


async def test_a_new_value_takes_its_own_expiry(store: Store, clock: Clock) -> None:
    await put(store, "a", expires_at=clock.now + 10)
    await put(store, "a")
    clock.now += 20
    key = await store.keys.get(1, "a")
    assert key is not None and (key.version, key.expires_at) == (2, None)


async def test_deleting_and_clearing_say_what_they_did(store: Store, clock: Clock) -> None:
    await put(store, "a")
    assert await store.keys.delete(1, "a")
    assert not await store.keys.delete(1, "a")
    await put(store, "b")
    await put(store, "c", expires_at=clock.now + 1)
    await store.keys.put(2, "other", "1", size_bytes=1, limits=LIMITS)
    clock.now += 5
    assert await store.keys.clear(1) == 1
    assert await store.keys.list(1) == []
    assert len(await store.keys.list(2)) == 1


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "é", "' OR 1=1 --", "x" * 1_000])
async def test_any_name_is_a_name_of_its_own(store: Store, name: str) -> None:
    await put(store, name, '"mine"')
    await put(store, "a\ufffdb", '"not mine"')
    key = await store.keys.get(1, name)
    assert key is not None and key.name == name and key.value == '"mine"'
    assert name in [key.name for key in await store.keys.list(1)]
    assert await store.keys.delete(1, name)


async def test_a_value_outside_ascii_keeps_its_meaning(store: Store) -> None:
    key = await put(store, "a", '"é\ud800"')
    assert key.value == '"\\u00e9\\ud800"' and await store.keys.get(1, "a") == key
