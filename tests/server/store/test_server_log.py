"""The log of the whole server, the same for every engine; and how SQLite finds its way in a long one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from switchroom.server.filters import parse_filter
from switchroom.server.models import Direction, EventKind, ServerLogPage
from switchroom.server.store import ServerLogQuery, SqliteStore, Store
from switchroom.server.store.sqlite.server_log import ServerLogReader
from switchroom.server.store.sqlite.statements import read_statements
from tests.support.stores import START, make_ended, make_event, make_record

pytestmark = pytest.mark.anyio


async def fill(store: Store) -> None:
    """Three sessions take turns; every fifth event is an error, every seventh a stored key."""
    for no in (1, 2, 3):
        await store.sessions.save(make_record(no, client_name=f"client-{no}"))
    for seq in range(1, 31):
        for no in (1, 2, 3):
            kind = EventKind.ERROR if seq % 5 == 0 else EventKind.KEY if seq % 7 == 0 else EventKind.REQUEST
            code = -32603 if kind is EventKind.ERROR else None
            event = make_event(seq, kind=kind, error_code=code, at=START + seq, method=f"m{seq % 3}")
            await store.events.append(no, event)


def names(page: ServerLogPage) -> list[tuple[str, int]]:
    return [(each.client_name, each.event.seq) for each in page.events]


async def test_events_of_all_sessions_come_newest_first(store: Store) -> None:
    await fill(store)
    page = await store.events.read_all(ServerLogQuery(limit=4))
    assert names(page) == [("client-3", 30), ("client-2", 30), ("client-1", 30), ("client-3", 29)]
    assert page.events[0].id == await store.events.newest_id()


async def test_pages_join_without_a_gap_or_a_double_while_events_arrive(store: Store) -> None:
    await fill(store)
    found: list[tuple[str, int]] = []
    before: int | None = None
    for seq in range(31, 60):
        page = await store.events.read_all(ServerLogQuery(limit=7, before=before))
        found += names(page)
        await store.events.append(1, make_event(seq))
        before = page.next_before
        if before is None:
            break
    assert found == [(f"client-{no}", seq) for seq in range(30, 0, -1) for no in (3, 2, 1)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (ServerLogQuery(errors_only=True), {5, 10, 15, 20, 25, 30}),
        (ServerLogQuery(kinds=(EventKind.KEY,)), {7, 14, 21, 28}),
        (ServerLogQuery(kinds=(EventKind.KEY, EventKind.ERROR)), {5, 10, 15, 20, 25, 30, 7, 14, 21, 28}),
        (ServerLogQuery(method="m0", kinds=(EventKind.KEY,)), {21}),
        (ServerLogQuery(direction=Direction.FROM_SERVER), set[int]()),
        (ServerLogQuery(since=START + 28), {28, 29, 30}),
        (ServerLogQuery(until=START + 3), {1, 2}),
        (ServerLogQuery(since=START + 2, until=START + 4), {2, 3}),
    ],
)
async def test_every_condition_restricts(store: Store, query: ServerLogQuery, expected: set[int]) -> None:
    await fill(store)
    page = await store.events.read_all(query)
    assert {each.event.seq for each in page.events} == expected
    assert len(page.events) == 3 * len(expected)
    assert page.next_before is None


@pytest.mark.parametrize("more", [0, 60])
async def test_the_events_of_some_sessions(store: Store, more: int) -> None:
    # A few are read one by one, many by looking through everything.
    await fill(store)
    wanted = frozenset({1, 3, *range(100, 100 + more)})
    page = await store.events.read_all(ServerLogQuery(sessions=wanted, limit=3))
    assert names(page) == [("client-3", 30), ("client-1", 30), ("client-3", 29)]
    rest = await store.events.read_all(ServerLogQuery(sessions=wanted, before=page.next_before))
    assert names(rest)[0] == ("client-1", 29)
    assert len(rest.events) == 57


async def test_only_what_came_after_a_position(store: Store) -> None:
    await fill(store)
    newest = await store.events.newest_id()
    assert (await store.events.read_all(ServerLogQuery(after=newest))).events == []
    await store.events.append(2, make_event(31))
    page = await store.events.read_all(ServerLogQuery(after=newest))
    assert names(page) == [("client-2", 31)]


async def test_ended_sessions_are_found_by_number(store: Store) -> None:
    for no in range(1, 6):
        await store.sessions.save(make_ended(no, client_name="odd" if no % 2 else "even", last_activity_at=START + no))
    assert await store.sessions.ended_numbers(parse_filter("client:odd"), now=START, limit=2) == [5, 3]


def plan(database: Path, query: ServerLogQuery) -> str:
    statement = ServerLogReader(read_statements("log"), query).statement()
    wanted = {"after": 0, "before": 10, "limit": 100, "kind0": "key", "method": "m", "direction": "local"}
    with sqlite3.connect(database) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", wanted).fetchall()
    connection.close()
    return "; ".join(row[-1] for row in rows)


async def test_no_read_sorts_or_looks_at_every_event(sqlite_store: SqliteStore, database: Path) -> None:
    plans = {
        "all": plan(database, ServerLogQuery()),
        "errors": plan(database, ServerLogQuery(errors_only=True, method="m")),
        "rare": plan(database, ServerLogQuery(kinds=(EventKind.KEY,))),
        "common": plan(database, ServerLogQuery(kinds=(EventKind.REQUEST,), direction=Direction.LOCAL)),
    }
    assert all("TEMP B-TREE" not in each and "SEARCH e" in each for each in plans.values()), plans
    assert "INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in plans["all"] and plans["common"] == plans["all"]
    assert "event_errors" in plans["errors"]
    assert "event_rare (kind=? AND id>? AND id<?)" in plans["rare"]


async def test_a_search_for_what_is_not_there_stops_in_time_and_says_where(
    sqlite_store: SqliteStore, database: Path
) -> None:
    await fill(sqlite_store)
    clock = iter(range(10))
    reader = ServerLogReader(read_statements("log"), ServerLogQuery(method="none", after=-50_000), lambda: next(clock))
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE event SET id = -30000 WHERE id = 1")
        connection.commit()
        page = reader.read(connection)
    connection.close()
    assert page.is_partial
    assert page.events == []
    assert page.next_before is not None and -30_000 < page.next_before < 90
