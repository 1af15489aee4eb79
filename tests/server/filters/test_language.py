"""What the filter language accepts, how it is spelled canonically, and what it says when it cannot read."""

from __future__ import annotations

import random
import time

import pytest

from switchroom.server.errors import InvalidInput
from switchroom.server.filters import Filter, FilterError, known_keys, parse_filter, quote_value

EVERY_KEY = (
    "state:active,idle client:claude-code version:>=2.1 protocol:2025-11-25 transport:http principal:user-17 "
    "server:tickets group:team-* worker:web-2 errors:>0 requests:<=100 inflight:>0 streams:0 keys:>=2 idle:>10m "
    'age:<1h seen:<2h kind:handle id:01JD* address:192.0.2.* -client:inspector "free text"'
)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("", ""),
        ("   ", ""),
        (EVERY_KEY, EVERY_KEY),
        ("  STATE:Active ,", 'state:active ","'),
        ("STATE:Active", "state:active"),
        ("state:active,active state:active", "state:active"),
        ("errors:=3", "errors:3"),
        ("errors:0005", "errors:5"),
        ("idle:>1H30M", "idle:>1h30m"),
        ("client:Claude", "client:Claude"),
        ('client:"Claude Code"', 'client:"Claude Code"'),
        ('client:"inspector"', "client:inspector"),
        ('client:"a, b",c', 'client:"a, b",c'),
        ('client:"Claude *"', 'client:"Claude *"'),
        ("client:a***b", "client:a*b"),
        ('client:"a\\*b"', 'client:"a\\*b"'),
        ('client:">=x"', 'client:">=x"'),
        ('principal:""', 'principal:""'),
        ("principal:svc:*", "principal:svc:*"),
        ('"10:30"', '"10:30"'),
        ('text:"10:30"', '"10:30"'),
        ('"-dash"', '"-dash"'),
        ('-"a b"', '-"a b"'),
        ('"one"', "one"),
        ("text:a,b", "text:a,b"),
        ('say"hi"', 'say"hi"'),
        ("ada@example.org", "ada@example.org"),
        ("café\tstate:idle\n", "café state:idle"),
    ],
)
def test_a_filter_has_one_canonical_spelling(typed: str, canonical: str) -> None:
    parsed = parse_filter(typed)
    assert parsed.text == canonical == str(parsed)
    assert parse_filter(parsed.text) == parsed


def test_every_key_of_the_help_is_read() -> None:
    keys = {term.key for term in parse_filter(EVERY_KEY).terms}
    assert keys == {*known_keys(), "text"}


@pytest.mark.parametrize(
    ("typed", "position", "nearest"),
    [
        ("stat:active", 0, "state"),
        ("errors:>0 clent:x", 10, "client"),
        ("protcol:2025", 0, "protocol"),
        ("zzzzzzzz:1", 0, None),
        ("http://example.org", 0, None),
        ("state:activ", 6, "active"),
        ("state:idle,detatched", 11, "detached"),
        ("transport:htp", 10, "http"),
        ("kind:http", 5, None),
        ("state:>active", 6, None),
        ("-state:", 7, None),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(typed: str, position: int, nearest: str | None) -> None:
    with pytest.raises(FilterError) as refused:
        parse_filter(typed)
    assert refused.value.position == position
    if nearest is not None:
        assert refused.value.nearest == nearest and f'"{nearest}"' in refused.value.message


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("client:", '"client:" needs a value'),
        ("client: x", '"client:" needs a value'),
        ("state:active,", '"state:" needs a value, for example state:active,idle or live'),
        ("errors:many", "takes a number"),
        ("errors:-1", "takes a number"),
        ("errors:1e9", "takes a number"),
        ("errors:>" + "9" * 16, "takes a number"),
        ("errors:٣", "takes a number"),
        ("idle:10m", "takes < or >"),
        ("idle:=10m", "takes < or >"),
        ("idle:>10", "time with its unit"),
        ("idle:>" + "1h" * 30, "time with its unit"),
        ("client:>x", "it takes no >"),
        ("version:>dev", "is not a version"),
        ("version:>=", '"version:" needs a value'),
        ("protocol:<", '"protocol:" needs a value, for example protocol:2025-11-25'),
        ('"never closed', "is not closed"),
        ('client:"a\\"', "is not closed"),
        ('client:"a"b', "space or a comma"),
        ('""', "no text in the quotes"),
        ("-", 'Nothing follows the "-"'),
        ("a - b", 'Nothing follows the "-"'),
        ("a\0b", "Character 2 cannot be part"),
        ("a\x1fb", "Character 2 cannot be part"),
        ("\ud800", "Character 1 cannot be part"),
        ("client:" + "*a" * 9, "at most 8 wildcards"),
        ("x" * 2_001, "at most 2,000 characters"),
        (" ".join(f"w{number}" for number in range(51)), "at most 50 terms"),
        ("id:" + ",".join(f"w{number}" for number in range(51)), "at most 50 terms"),
    ],
)
def test_what_cannot_be_read_is_explained_in_a_sentence(typed: str, words: str) -> None:
    with pytest.raises(FilterError, match=words) as refused:
        parse_filter(typed)
    error = refused.value
    assert isinstance(error, InvalidInput) and error.code == "invalid_input"
    assert 0 <= error.position <= len(typed)
    assert error.message.isprintable() and error.message.endswith(".") and len(error.message) < 300


def test_terms_of_a_key_can_be_taken_away() -> None:
    query = parse_filter('state:idle "a b" -state:live errors:>0')
    assert query.without("state").text == '"a b" errors:>0'
    assert query.without("text").text == "state:idle -state:live errors:>0"
    assert query.without("nothing") == query
    assert query.without("state").without("text").without("errors").is_empty


def test_filters_are_equal_by_their_canonical_text() -> None:
    assert parse_filter("STATE:idle   x") == parse_filter('state:idle "x"')
    assert len({parse_filter("a b"), parse_filter(" a  b ")}) == 1
    assert parse_filter("a") != parse_filter("b")


@pytest.mark.parametrize("value", ["", "a b", "a,b", '"', "\\", "a*b", ">=2", "-x", "x:y", " ", "é", '\\"*,'])
def test_a_quoted_value_means_exactly_itself(value: str) -> None:
    (term,) = parse_filter(f"client:{quote_value(value)}").terms
    assert [test.operand for test in term.tests] == [value.casefold()]


def test_whatever_is_typed_is_read_or_refused_and_its_canonical_text_reads_the_same() -> None:
    rng = random.Random(7)
    pieces = [
        "state:",
        "client:",
        "version:",
        "idle:",
        ">",
        ">=",
        "2.1",
        "10m",
        "active",
        ",",
        '"',
        "\\",
        "*",
        "-",
        " ",
    ]
    pieces += [":", "x", "é", "\u202e", "'", "text:", "<", "=", "\t", "0"]
    read = 0
    for _ in range(8_000):
        typed = "".join(rng.choice(pieces) for _ in range(rng.randrange(12)))
        try:
            parsed = parse_filter(typed)
        except FilterError:
            continue
        read += 1
        again = parse_filter(parsed.text)
        assert again.text == parsed.text, typed
        assert [(term.key, term.is_negated, term.tests) for term in again.terms] == [
            (term.key, term.is_negated, term.tests) for term in parsed.terms
        ], typed
    assert read > 1_000


@pytest.mark.parametrize(
    "typed",
    [
        '"' * 2_000,
        "\\" * 2_000,
        '"' + "\\a" * 999,
        "-" * 2_000,
        ":" * 2_000,
        "," * 2_000,
        "a:" * 1_000,
        "client:" + "," * 1_990,
        "idle:>" + "1" * 1_990,
        "version:>" + "1." * 990,
        "version:" + "a*" * 900,
    ],
)
def test_hostile_text_is_answered_at_once(typed: str) -> None:
    started = time.perf_counter()
    try:
        parsed: Filter | None = parse_filter(typed)
    except FilterError:
        parsed = None
    assert time.perf_counter() - started < 0.5
    assert parsed is None or len(parsed.terms) <= 50
