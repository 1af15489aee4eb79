"""Moving every secret to the newest key, on every engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from switchroom.server.errors import CannotOpen
from switchroom.server.models import EventKind
from switchroom.server.rotation import rotate
from switchroom.server.sealing import KeyRing, event_about, make_key, value_about
from switchroom.server.store import KeyLimits, SqliteStore, Store
from switchroom.server.store.base import SealedRow
from switchroom.server.store.memory import MemoryStore
from tests.support.stores import make_event, make_record

pytestmark = pytest.mark.anyio

OLD, NEW = make_key("k1"), make_key("k2")


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Store]:
    opened: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "s.db")
    await opened.open()
    yield opened
    await opened.close()


async def fill(store: Store, ring: KeyRing, *, values: int, events: int) -> None:
    """Seal some values and events of two sessions."""
    for no in (1, 2):
        record = make_record(no)
        await store.sessions.save(record)
        for number in range(values):
            sealed = ring.seal(f"v{number}", *value_about(record.id, f"k{number}")).encode()
            await store.keys.put(
                no, f"k{number}", None, sealed=sealed, key_id=ring.newest, size_bytes=2, limits=KeyLimits()
            )
        await store.keys.put(no, "plain", "1", size_bytes=1, limits=KeyLimits())
        for seq in range(1, events + 1):
            token = ring.seal(f"e{seq}", *event_about(record.id, seq))
            await store.events.append(no, make_event(seq, kind=EventKind.RESPONSE, sealed=token))
        await store.events.append(no, make_event(events + 1))


async def opened(store: Store, ring: KeyRing) -> list[str]:
    """Open everything and return the texts."""
    found: list[str] = []
    for no in (1, 2):
        session_id = make_record(no).id
        for key in await store.keys.list(no):
            sealed = await store.keys.sealed(no, key.name)
            if sealed is not None:
                assert sealed.decode().split(".")[1] == key.key_id
                found.append(ring.open(sealed.decode(), *value_about(session_id, key.name)))
        for seq in range(1, 200):
            event = await store.events.get(no, seq)
            if event is not None and event.sealed is not None:
                found.append(ring.open(event.sealed, *event_about(session_id, seq)))
    return found


async def test_after_a_rotation_the_old_key_is_not_needed(store: Store) -> None:
    await fill(store, KeyRing.of(OLD), values=120, events=130)
    ring = KeyRing.of(f"{NEW},{OLD}")
    done = await rotate(store, ring)
    assert done == ("k2", 240, 260, 0, 0)
    texts = await opened(store, KeyRing.of(NEW))
    assert len(texts) == 500
    assert await rotate(store, ring) == ("k2", 0, 0, 0, 0)


async def test_a_rotation_that_was_stopped_goes_on(store: Store) -> None:
    await fill(store, KeyRing.of(OLD), values=3, events=0)
    ring = KeyRing.of(f"{NEW},{OLD}")
    (first, *_) = await store.sealed.stale("k2", limit=2)
    token = ring.seal("v0", *value_about(first.session_id, first.name))
    assert await store.sealed.replace([(first, token)], "k2") == 1
    assert (await rotate(store, ring)).values == 5


async def test_a_secret_that_changed_meanwhile_is_left_alone(store: Store) -> None:
    await fill(store, KeyRing.of(OLD), values=1, events=1)
    rows: list[SealedRow] = await store.sealed.stale("k2")
    rows += await store.sealed.stale("k2", after=rows[-1])
    assert [(row.table, row.session_no) for row in rows] == [("kv", 1), ("kv", 2), ("event", 1), ("event", 2)]
    stale = [(row._replace(sealed="v1.k1.other"), "v1.k2.new") for row in rows]
    assert await store.sealed.replace(stale, "k2") == 0
    assert len(await opened(store, KeyRing.of(OLD))) == 4


async def test_what_no_key_opens_is_counted_and_left(store: Store) -> None:
    await fill(store, KeyRing.of(make_key("k0")), values=2, events=1)
    assert await rotate(store, KeyRing.of(f"{NEW},{OLD}")) == ("k2", 0, 0, 0, 6)
    with pytest.raises(CannotOpen):
        await opened(store, KeyRing.of(NEW))
