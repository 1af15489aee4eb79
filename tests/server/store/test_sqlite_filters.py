"""The SQL of a filter finds exactly what the filter itself matches."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from switchroom.server.filters import parse_filter, quote_value
from switchroom.server.models import SessionKind, SessionRecord, SessionState
from switchroom.server.store import SqliteStore
from switchroom.server.store.ended import EndedSession
from tests.support.stores import START, make_ended

pytestmark = pytest.mark.anyio

NOW = START + 7_200.0
NAMES = [
    "",
    "claude-code",
    "Claude Code",
    "inspector",
    "STRASSE",
    "straße",
    "İstanbul",
    "a*b[c]?d",
    "日本語",
    'q"u\\o,te',
]
VERSIONS = ["", "2", "2.0", "2.1", "v2.1.0", "2.1-beta.2", "2.1-beta.10", "2.10.3+build", "dev", "1e5", "2..1"]
PROTOCOLS = ["", "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
PRINCIPALS = [None, "", "user-17", "svc:deploy", "DOMAIN\\ada", "Ünïcödé"]
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "*": "\\*"})
COUNTS = ["requests", "errors", "keys", "inflight", "streams"]
WORDS = [*NAMES[1:], "user", "2.1", "*", "%", "_", "' OR 1=1 --", "SESSION", "ab12"]


def random_record(rng: random.Random, no: int) -> SessionRecord:
    return make_ended(
        no,
        kind=rng.choice([kind for kind in SessionKind if kind is not SessionKind.CLIENT]),
        state=rng.choice([SessionState.CLOSED, SessionState.EXPIRED, SessionState.REJECTED]),
        server=rng.choice(["everything", "tickets"]),
        worker_id=rng.choice(["w1", "W2"]),
        created_at=NOW - rng.choice([10, 600.5, 3_600, 7_200]),
        last_activity_at=NOW - rng.choice([0, 1.25, 600, 3_600]),
        sid_prefix=rng.choice(["ab12cd34", "h_AB12cd", ""]),
        principal=rng.choice(PRINCIPALS),
        client_name=rng.choice(NAMES),
        client_version=rng.choice(VERSIONS),
        protocol_version=rng.choice(PROTOCOLS),
        address=rng.choice(["192.0.2.1", "192.0.2.77", "2001:db8::1", ""]),
        request_count=rng.randrange(4),
        error_count=rng.randrange(3),
        key_count=rng.randrange(3),
    )


def random_pattern(rng: random.Random, value: str) -> str:
    if not value or rng.random() < 0.5:
        return quote_value(value)
    cut = rng.randrange(len(value) + 1)
    start, end = (part.translate(ESCAPES) for part in (value[:cut], value[cut:]))
    return f'"{start}*"' if rng.random() < 0.5 else f'"*{end}"'


def random_term(rng: random.Random) -> str:
    operator = rng.choice(["<", "<=", ">", ">="])
    term = rng.choice(
        [
            f"state:{rng.choice(['closed', 'expired,rejected', 'live', 'ended', 'active,closed', 'initialized'])}",
            f"transport:{rng.choice(['http', 'sse,stdio', 'handle'])}",
            f"kind:{rng.choice(['streamable-http', 'client,sse'])}",
            f"client:{random_pattern(rng, rng.choice(NAMES))},{random_pattern(rng, rng.choice(NAMES))}",
            f"principal:{random_pattern(rng, rng.choice(PRINCIPALS) or '')}",
            f"server:{rng.choice(['TICKETS', 't*', '*'])}",
            f"worker:{rng.choice(['w1', 'w2', 'w*'])}",
            f"address:{rng.choice(['192.0.2.*', '*::1', '192.0.2.1'])}",
            f"id:{rng.choice(['session*', 'AB12CD34', '*0001', 'h_*'])}",
            f"version:{operator}{rng.choice(['2', '2.1', '2.1-beta.5', '2.9'])}",
            f"version:{rng.choice(['2.1', '2.*', 'DEV', '2.0.0'])}",
            f"protocol:{operator}{rng.choice(PROTOCOLS[1:])}",
            f"protocol:{rng.choice(['2025-*', *PROTOCOLS[1:]])}",
            f"{rng.choice(COUNTS)}:{rng.choice(['', operator])}{rng.randrange(3)}",
            f"{rng.choice(['idle', 'seen', 'age'])}:{operator}{rng.choice(['1s', '10m', '1h', '1h30m'])}",
            quote_value(rng.choice(WORDS)) if rng.random() < 0.5 else f"text:{quote_value(rng.choice(WORDS))},zz",
        ]
    )
    return f"-{term}" if rng.random() < 0.3 else term


@pytest.mark.parametrize("seed", range(4))
async def test_a_filter_finds_the_same_in_sql_as_in_memory(sqlite_store: SqliteStore, seed: int) -> None:
    rng = random.Random(seed)
    records = [random_record(rng, no) for no in range(1, 301)]
    await sqlite_store.sessions.save_many(records)
    sizes: Counter[int] = Counter()
    for _ in range(150):
        query = parse_filter(" ".join(random_term(rng) for _ in range(rng.randrange(1, 4))))
        expected = [record for record in records if query.matches(EndedSession(record), NOW)]
        found = await sqlite_store.sessions.ended(query, now=NOW, sort="created", limit=1_000)
        assert {record.no for record in found} == {record.no for record in expected}, query.text
        counts = await sqlite_store.sessions.count_ended(query, now=NOW)
        assert counts == Counter(record.state.value for record in expected), query.text
        sizes[len(expected)] += 1
    # The comparison says something: most filters found some of the sessions and left some out.
    assert sum(count for size, count in sizes.items() if 0 < size < 300) > 75
