"""The audit log, the same for every engine."""

from __future__ import annotations

from typing import Any

import pytest

from switchroom.server.models import Actor, Role
from switchroom.server.store import AuditQuery, Store
from switchroom.server.store.base import NOT_REACHED, AuditRecord
from tests.support.stores import ADA, Clock

pytestmark = pytest.mark.anyio


async def record(store: Store, action_id: str, phase: str = "intent", **values: Any) -> int:
    given = AuditRecord(action_id, phase, ADA, "expire", "SESSION000001", "stuck")
    return await store.audit.record(given._replace(**values))


async def test_intent_and_outcome_are_shown_as_one_action(store: Store, clock: Clock) -> None:
    first = await record(store, "A1", detail='{"filter":"state:live"}')
    (started,) = await store.audit.query(AuditQuery())
    assert (started.id, started.outcome, started.detail) == (first, "started", '{"filter":"state:live"}')
    clock.now += 3
    second = await record(store, "A1", "outcome", outcome="done", detail='{"expired":3}')
    assert second > first
    (entry,) = await store.audit.query(AuditQuery())
    assert entry == await store.audit.get("A1")
    assert entry._asdict() == {
        "id": first,
        "action_id": "A1",
        "at": clock.now - 3,
        "actor": "ada",
        "role": "operator",
        "action": "expire",
        "target": "SESSION000001",
        "reason": "stuck",
        "outcome": "done",
        "detail": '{"expired":3}',
        "address": "192.0.2.7",
    }


async def test_an_action_refused_before_its_intent_is_shown(store: Store) -> None:
    await record(store, "A1", "outcome", outcome="refused")
    (entry,) = await store.audit.query(AuditQuery())
    assert entry.outcome == "refused"


async def test_actions_are_listed_newest_first_in_pages(store: Store) -> None:
    for number in range(7):
        await record(store, f"A{number}")
        await record(store, f"A{number}", "outcome", outcome="done")
    first = await store.audit.query(AuditQuery(limit=3))
    assert [entry.action_id for entry in first] == ["A6", "A5", "A4"]
    second = await store.audit.query(AuditQuery(limit=30, before=first[-1].id))
    assert [entry.action_id for entry in second] == ["A3", "A2", "A1", "A0"]


async def test_actions_are_found_by_actor_action_and_target(store: Store) -> None:
    await record(store, "A1")
    await record(store, "A2", actor=Actor("bob", Role.VIEWER), action="replay")
    await record(store, "A3", target="SESSION000002")
    queries: tuple[dict[str, Any], ...] = ({"actor": "bob"}, {"action": "replay"}, {"target": "SESSION000002"})
    found = [[entry.action_id for entry in await store.audit.query(AuditQuery(**query))] for query in queries]
    assert found == [["A2"], ["A2"], ["A3"]]
    assert await store.audit.query(AuditQuery(actor="bob", target="SESSION000002")) == []


async def test_an_action_on_several_is_found_by_each_one_that_its_outcome_names(store: Store) -> None:
    await record(store, "B1", target="state:idle")
    await record(store, "B1", phase="outcome", target="state:idle", detail='{"sessions":{"SESSION000009":"expired"}}')
    assert [entry.action_id for entry in await store.audit.query(AuditQuery(target="SESSION000009"))] == ["B1"]
    assert await store.audit.get("A9") is None


async def test_the_chain_of_untouched_rows_holds(store: Store) -> None:
    assert await store.audit.verify() is None
    for number in range(20):
        await record(store, f"A{number}", reason="a\0b\ud800 \u202e", detail='{"é":1}', target="x" * 5_000)
    assert await store.audit.verify() is None
    (entry,) = await store.audit.query(AuditQuery(limit=1))
    assert entry.reason == "a\ufffdb\ufffd \u202e" and entry.detail == '{"\\u00e9":1}'


async def test_what_was_not_reached_is_replaced_by_what_came_of_it(store: Store) -> None:
    for action_id in ("J1", "J2"):
        await record(store, action_id)
        await store.audit.add_results(action_id, [("s1", NOT_REACHED), ("s2", NOT_REACHED)])
    assert await store.audit.unfinished() == ["J2", "J1"]
    await store.audit.add_results("J2", [("s1", "expired"), ("s2", "already ended")])
    await store.audit.add_results("J1", [("s2", "expired")])
    assert await store.audit.unfinished() == ["J1"]
    assert await store.audit.results("J1") == [("s1", NOT_REACHED), ("s2", "expired")]
