"""What the stored keys were at a moment, read back from the log."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from switchroom.server import Settings, attach
from switchroom.server.attach import Switchroom
from switchroom.server.data import SessionData
from switchroom.server.engine.session import LiveSession
from switchroom.server.errors import NotFound
from switchroom.server.models import Actor, Direction, EventKind, Role, SessionKind
from switchroom.server.tools import bundled_server

pytestmark = pytest.mark.anyio

OPERATOR = Actor("ann", Role.OPERATOR)


class Kept:
    """One session, its data, and what its keys were."""

    def __init__(self, room: Switchroom) -> None:
        self.room = room
        self.session: LiveSession = room.engine.open(SessionKind.HANDLE, "secret", server="bundled")
        self.data = SessionData(room.engine, self.session)

    @property
    def now(self) -> int:
        return self.session.record.last_seq

    async def at(self, seq: int) -> dict[str, object]:
        await self.settled()
        past = await self.room.directory.keys_at(self.session.record.id, seq)
        return {key.name: "lost" if key.is_lost else key.value for key in past.keys}

    async def settled(self) -> None:
        """Wait until everything noted so far is committed."""
        await self.session.append(Direction.LOCAL, EventKind.LIFECYCLE, "note")[1]


@pytest.fixture
async def kept() -> AsyncGenerator[Kept]:
    settings = Settings(db="memory:", max_events=100, max_payload_bytes=1024)
    room = attach(bundled_server(), settings=settings)
    async with room.running():
        yield Kept(room)


async def test_every_moment_shows_the_keys_as_they_were(kept: Kept) -> None:
    await kept.data.set("a", 1)
    first = kept.now
    await kept.data.set("a", {"n": 2})
    await kept.data.set("b", "x")
    second = kept.now
    await kept.data.delete("a")
    third = kept.now
    await kept.data.clear()
    fourth = kept.now
    assert await kept.at(first) == {"a": "1"}
    assert await kept.at(second) == {"a": '{"n":2}', "b": '"x"'}
    assert await kept.at(third) == {"b": '"x"'}
    assert await kept.at(fourth) == {}


async def test_an_operators_change_is_part_of_it(kept: Kept) -> None:
    await kept.room.operations.set_key(OPERATOR, kept.session.record.id, "flag", True)
    moment = kept.now
    await kept.room.operations.delete_key(OPERATOR, kept.session.record.id, "flag")
    assert await kept.at(moment) == {"flag": "true"}
    assert await kept.at(kept.now) == {}


async def test_a_key_whose_time_was_over_is_not_among_them(kept: Kept) -> None:
    await kept.data.set("short", 1, ttl_seconds=0.001)
    past = kept.now
    kept.session.note(EventKind.LIFECYCLE, "later")
    while await kept.data.get("short") is not None:
        pass
    await kept.settled()
    assert await kept.at(past) == {"short": "1"}
    assert await kept.at(kept.now) == {}


async def test_a_value_too_large_for_the_log_is_said_to_be_missing(kept: Kept) -> None:
    await kept.data.set("big", "x" * 2_000)
    assert await kept.at(kept.now) == {"big": "lost"}


async def test_what_retention_dropped_is_told_from_what_is_still_there(kept: Kept) -> None:
    await kept.data.set("kept", "old")
    await kept.data.set("changed", "old")
    await kept.data.set("deleted", "old")
    for _ in range(300):
        kept.session.note(EventKind.LIFECYCLE, "filler")
    moment = kept.now
    await kept.data.set("changed", "new")
    await kept.data.delete("deleted")
    await kept.data.set("later", "new")
    await kept.settled()
    past = await kept.room.directory.keys_at(kept.session.record.id, moment)
    assert past.dropped > 0
    assert await kept.at(moment) == {"kept": '"old"', "changed": "lost", "deleted": "lost"}
    with pytest.raises(NotFound, match="keeps no event 1"):
        await kept.at(1)
