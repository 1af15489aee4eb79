"""What a filter matches."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from switchroom.server.filters import parse_filter
from switchroom.server.models import Era, Session, SessionKind, SessionState

NOW = 1_700_000_000.0

SESSION = Session(
    id="0123456789ABC",
    kind=SessionKind.STREAMABLE_HTTP,
    state=SessionState.INITIALIZED,
    status="active",
    era=Era.HANDSHAKE,
    server="tickets",
    worker_id="web-2",
    mcp_session_id_prefix="deadbeef",
    protocol_version="2025-11-25",
    client_name="Claude-Code",
    client_version="2.1.3",
    principal="svc:deploy",
    address="192.0.2.7",
    request_count=12,
    error_count=1,
    in_flight=2,
    open_streams=0,
    key_count=3,
    event_count=40,
    bytes_in=0,
    bytes_out=0,
    created_at=NOW - 1_800,
    last_activity_at=NOW - 30,
    expires_at=None,
    ended_at=None,
    end_code=None,
    end_by=None,
    end_reason=None,
    log_level=None,
    trimmed_seq=0,
    groups=("planners", "team-a"),
)


def matches(text: str, **values: object) -> bool:
    return parse_filter(text).matches(replace(SESSION, **values), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "state:active",
        "state:idle,active",
        "state:live",
        "state:initialized",
        "-state:ended",
        "transport:http",
        "kind:streamable-http",
        "client:claude-code",
        "client:claude*",
        "client:*CODE",
        "client:c*-*e",
        "-client:inspector",
        "client:inspector,claude-code",
        "version:2.1.3",
        "version:v2.1.3.0",
        "version:>=2.1",
        "version:>2.1.2 version:<2.10",
        "version:2.*",
        "protocol:2025-11-25",
        "protocol:>=2025-06-18 protocol:<2026",
        "protocol:2025-*",
        "principal:svc:*",
        "server:TICKETS",
        "worker:web-2",
        "group:planners",
        "group:nobody,TEAM-*",
        "-group:nobody",
        "address:192.0.2.*",
        "id:0123456789abc",
        "id:DEADBEEF",
        "id:dead*",
        "requests:12",
        "requests:>=12 requests:<=12",
        "errors:>0",
        "errors:0,1",
        "inflight:>1",
        "streams:0",
        "keys:>2",
        "idle:<1m",
        "seen:<31s",
        "idle:>500ms",
        "age:>29m age:<1h",
        "age:<0.5d",
        "claude",
        "deadb",
        '"svc:dep"',
        "2.1.3",
        "-tickets",
        "text:nothing,claude",
        "state:active client:claude* errors:>0 -client:inspector claude",
    ],
)
def test_a_filter_that_holds_matches(text: str) -> None:
    assert matches(text)
    if len(parse_filter(text).terms) == 1 and not text.startswith("-"):
        assert not matches(f"-{text}")


@pytest.mark.parametrize(
    "text",
    [
        "state:idle",
        "state:ended",
        "state:active state:idle",
        "transport:sse",
        "client:claude",
        "client:*x*",
        "client:code*",
        "client:claude-code*e",
        "version:2.1",
        "version:<2.1.3",
        "version:>2.1.3",
        "protocol:<2025-11-25",
        "principal:svc",
        'principal:""',
        "id:0123",
        "requests:>12",
        "errors:0",
        "idle:>1m",
        "age:<10m",
        "tickets",
        '"claude code"',
        "-claude",
    ],
)
def test_a_filter_that_does_not_hold_does_not_match(text: str) -> None:
    assert not matches(text)


def test_nobody_is_found_by_an_empty_principal() -> None:
    assert matches('principal:""', principal=None)
    assert not matches("principal:*a*", principal=None)
    assert matches("principal:*", principal=None)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("1", "2"),
        ("1.9", "1.10"),
        ("2.1-alpha", "2.1-beta"),
        ("2.1-beta.2", "2.1-beta.10"),
        ("2.1-beta", "2.1"),
        ("2.1rc1", "2.1.0"),
        ("2.0.99", "2.1-alpha"),
        ("1.2", "1.2.1"),
    ],
)
def test_versions_compare_by_their_numbers(smaller: str, larger: str) -> None:
    assert matches(f"version:>{smaller}", client_version=larger)
    assert matches(f"version:<={larger}", client_version=smaller)
    assert not matches(f"version:>={larger}", client_version=smaller)


@pytest.mark.parametrize("version", ["", "dev", "latest", "-1", "٣"])
def test_a_version_without_a_number_compares_with_nothing(version: str) -> None:
    assert not matches("version:>0", client_version=version)
    assert not matches("version:<9", client_version=version)
    assert matches('version:""' if not version else f"version:{version}", client_version=version)


def test_an_unknown_protocol_is_neither_older_nor_newer() -> None:
    assert not matches("protocol:<2026", protocol_version="")
    assert not matches("protocol:>=2020", protocol_version="")


def test_case_is_folded_beyond_ascii() -> None:
    assert matches("client:STRASSE", client_name="straße")
    assert matches("ÄRGER", client_name="Viel Ärger")


def test_free_text_does_not_match_across_fields() -> None:
    assert not matches("Claude-Code2.1.3")
    assert not matches("deadbeefclaude")


@pytest.mark.parametrize("name", ["a" * 10_000, "a" * 5_000 + "b", "\0\ud800"])
def test_hostile_names_are_compared_quickly(name: str) -> None:
    started = time.perf_counter()
    for text in ("client:" + "*a" * 8, "client:*" + "a*" * 7 + "c", "version:>1", "aaaa", "client:*b"):
        matches(text, client_name=name, client_version=name)
    assert time.perf_counter() - started < 0.5
