"""Several keys changed as one: on every engine."""

from __future__ import annotations

import pytest

from switchroom.server.errors import Conflict, LimitReached
from switchroom.server.store import Store
from switchroom.server.store.base import KeyLimits, KeyWrite

pytestmark = pytest.mark.anyio

LIMITS = KeyLimits(max_keys=3, max_value_bytes=10, max_total_bytes=20)


def put(name: str, if_version: int, version: int, value: str = "1") -> KeyWrite:
    return KeyWrite(name, if_version, version, value, size_bytes=len(value))


async def kept(store: Store) -> dict[str, tuple[str | None, int]]:
    return {key.name: (key.value, key.version) for key in await store.keys.list(1)}


async def test_all_changes_are_made_together_with_their_versions(store: Store) -> None:
    await store.keys.apply(1, [put("a", 0, 3), put("b", 0, 1)], limits=LIMITS)
    assert await kept(store) == {"a": ("1", 3), "b": ("1", 1)}
    await store.keys.apply(1, [put("a", 3, 4, "2"), KeyWrite("b", 1, None)], limits=LIMITS)
    assert await kept(store) == {"a": ("2", 4)}


async def test_one_conflict_undoes_all(store: Store) -> None:
    await store.keys.apply(1, [put("a", 0, 1)], limits=LIMITS)
    with pytest.raises(Conflict):
        await store.keys.apply(1, [KeyWrite("a", 1, None), put("b", 0, 1), put("c", 5, 6)], limits=LIMITS)
    with pytest.raises(Conflict):
        await store.keys.apply(1, [put("b", 0, 1), KeyWrite("a", 2, None)], limits=LIMITS)
    assert await kept(store) == {"a": ("1", 1)}


async def test_deletions_make_room_and_a_limit_undoes_all(store: Store) -> None:
    await store.keys.apply(1, [put(name, 0, 1) for name in "abc"], limits=LIMITS)
    await store.keys.apply(1, [put("d", 0, 1), KeyWrite("a", 1, None)], limits=LIMITS)
    with pytest.raises(LimitReached):
        await store.keys.apply(1, [KeyWrite("b", 1, None), put("e", 0, 1), put("f", 0, 1)], limits=LIMITS)
    with pytest.raises(LimitReached):
        await store.keys.apply(1, [put("b", 1, 2, "x" * 11)], limits=LIMITS)
    assert await kept(store) == {"b": ("1", 1), "c": ("1", 1), "d": ("1", 1)}
