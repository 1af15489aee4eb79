"""Memberships and blocks, the same for every engine."""

from __future__ import annotations

import pytest

from switchroom.server.models import Block, BlockKind, Member
from switchroom.server.store import Store
from tests.support.stores import START, OpenSqlite, make_broadcast, named

pytestmark = pytest.mark.anyio


def member(session_id: str, group: str = "default", at: float = 1, server: str = "shop") -> Member:
    return Member(server, group, session_id, START + at)


def block(name: str, **values: object) -> Block:
    made = Block(name, BlockKind.ADDRESS, "192.0.2.0/24", "abuse", START, "ada", START + 60)
    return made._replace(**values)  # type: ignore[arg-type]


async def test_memberships_are_read_back_oldest_first(store: Store) -> None:
    for each in (member("s2", at=2), member("s1", at=1), member("s1", "other", at=3), member("s1", server="notes")):
        await store.groups.join(each)
    assert [(m.server, m.group, m.session_id) for m in await store.groups.load()] == [
        ("notes", "default", "s1"),
        ("shop", "default", "s1"),
        ("shop", "default", "s2"),
        ("shop", "other", "s1"),
    ]


async def test_joining_again_keeps_the_time_it_began(store: Store) -> None:
    await store.groups.join(member("s1", at=1))
    await store.groups.join(member("s1", at=9))
    assert await store.groups.load() == [member("s1", at=1)]


async def test_leaving_ends_one_membership_and_forgetting_all_of_a_session(store: Store) -> None:
    for each in (member("s1"), member("s1", "other"), member("s2")):
        await store.groups.join(each)
    await store.groups.leave(member("s1", "other", at=99))
    await store.groups.leave(member("s9"))
    assert await store.groups.load() == [member("s1"), member("s2")]
    await store.groups.forget("s1")
    assert await store.groups.load() == [member("s2")]


async def test_blocks_are_put_replaced_and_removed(store: Store) -> None:
    await store.blocks.put(block("B1", value="caf\u00e9 \0"))
    await store.blocks.put(block("B2", kind=BlockKind.CLIENT, value="bot", expires_at=None, created_at=START - 1))
    await store.blocks.put(block("B1", reason="more abuse"))
    assert await store.blocks.load() == [
        block("B2", kind=BlockKind.CLIENT, value="bot", expires_at=None, created_at=START - 1),
        block("B1", reason="more abuse"),
    ]
    await store.blocks.remove("B1")
    await store.blocks.remove("B9")
    assert [each.id for each in await store.blocks.load()] == ["B2"]


async def test_they_survive_a_restart(open_sqlite: OpenSqlite) -> None:
    first = await open_sqlite()
    await first.groups.join(member("s1"))
    await first.blocks.put(block("B1"))
    await first.close()
    second = await open_sqlite()
    assert await second.groups.load() == [member("s1")]
    assert await second.blocks.load() == [block("B1")]


async def test_broadcasts_are_listed_by_who_sent_them(store: Store) -> None:
    await store.broadcasts.create(make_broadcast("B1"), named([]))
    told = make_broadcast("B2", group="planners", sender="s1", method="notifications/tools/list_changed")
    await store.broadcasts.create(told, named(["s2"]))
    await store.broadcasts.create(make_broadcast("B3", is_json=True, logger="ops", is_queued=False), named([]))
    assert [each.id for each in await store.broadcasts.list()] == ["B3", "B2", "B1"]
    assert [each.id for each in await store.broadcasts.list(group="")] == ["B3", "B1"]
    (found,) = await store.broadcasts.list(group="planners")
    assert (found.sender, found.method, found.is_json) == ("s1", "notifications/tools/list_changed", False)
    kept = await store.broadcasts.get("B3")
    assert kept is not None and (kept.is_json, kept.logger, kept.is_queued, kept.sender) == (True, "ops", False, None)


async def test_the_last_trial_of_an_operator_is_remembered(store: Store) -> None:
    assert await store.broadcasts.last_trial("ada") is None
    await store.broadcasts.create(make_broadcast("B1", is_trial=True), named(["s1"]))
    await store.broadcasts.create(make_broadcast("B2", is_trial=True), named(["s2"]))
    await store.broadcasts.create(make_broadcast("B3", is_trial=True, actor="bob"), named(["s3"]))
    await store.broadcasts.create(make_broadcast("B4"), named(["s4"]))
    assert await store.broadcasts.last_trial("ada") == "s2"


async def test_the_receipts_of_some_recipients_are_read(store: Store) -> None:
    await store.broadcasts.create(make_broadcast("B1"), named(["s1", "s2", "s3"]))
    found = await store.broadcasts.receipts_of("B1", ["s3", "s1", "s9", "s1"])
    assert [each.session_id for each in found] == ["s1", "s3"]
    assert await store.broadcasts.receipts_of("B9", ["s1"]) == []
