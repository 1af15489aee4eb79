"""Text that parsers read from strangers. Each answers with a value or its own error, whatever the text."""

from __future__ import annotations

import contextlib
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchroom.dashboard.cursors import parse_cursor
from switchroom.dashboard.hosts import parse_host
from switchroom.dashboard.returning import safe_next
from switchroom.dashboard.urls import Urls
from switchroom.server.errors import InvalidInput
from switchroom.server.filters import parse_filter
from switchroom.server.ids import EventId, parse_event_id
from switchroom.server.logs import JsonLines, TextLines, without_secrets
from switchroom.server.transport.messages import Malformed, read_message
from tests.server.test_logs import record

OFTEN = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
    ],
)
ANYTHING = st.text(st.characters(blacklist_categories=()))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
IDS = st.builds(
    EventId,
    st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=13, max_size=13),
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    st.integers(0, 2**40),
)


@OFTEN
@given(ANYTHING)
def test_a_filter_is_understood_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        parse_filter(text)


@OFTEN
@given(ANYTHING | IDS.map(str).flatmap(lambda text: st.sampled_from([text, text.lower(), text + " ", text[:-1]])))
def test_an_event_id_is_one_of_ours_in_its_only_spelling_or_none(text: str) -> None:
    found = parse_event_id(text)
    assert found is None or str(found) == text


@OFTEN
@given(IDS)
def test_every_event_id_reads_back(event_id: EventId) -> None:
    assert parse_event_id(str(event_id)) == event_id


@OFTEN
@given(st.binary() | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_a_body_is_a_message_or_malformed(body: bytes) -> None:
    with contextlib.suppress(Malformed):
        message = read_message(body, 200)
        assert message.kind in ("request", "notification", "answer")


@OFTEN
@given(st.dictionaries(st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"]), JSON_VALUES))
def test_a_message_of_any_shape_is_classified_or_malformed(members: dict[str, object]) -> None:
    with contextlib.suppress(Malformed):
        message = read_message(json.dumps({"jsonrpc": "2.0", **members}).encode(), 200)
        assert message.kind != "request" or isinstance(message.id, str | int)


@OFTEN
@given(ANYTHING)
def test_a_cursor_or_host_or_way_back_is_ours_or_none(text: str) -> None:
    position = parse_cursor(text, "boot")
    assert position is None or position >= 0
    host = parse_host(text)
    assert host is None or host.name.isascii()
    assert safe_next(text, Urls()).startswith("/admin/")


@OFTEN
@given(ANYTHING)
def test_no_text_makes_a_second_line_in_the_log(text: str) -> None:
    without_secrets(text)
    assert len(JsonLines().format(record("%s", text)).splitlines()) == 1
    assert len(TextLines().format(record("%s", text)).splitlines()) == 1
