"""Each transport shows what is true for it: what cannot be done is disabled, with the reason."""

from __future__ import annotations

import pytest

from switchroom.dashboard.contexts.clients import make_client_row
from switchroom.dashboard.contexts.possible import (
    no_stream,
    why_no_idle_limit,
    why_no_message,
    why_no_replay,
    why_sessionless,
)
from switchroom.dashboard.contexts.streams import StreamList, make_stream_row
from switchroom.dashboard.templating import Templates
from switchroom.dashboard.urls import Urls
from switchroom.server.engine.describing import describe
from switchroom.server.models import Session, SessionKind, SessionState, StreamInfo
from switchroom.server.modern.announcements import URI
from tests.support.stores import make_record

HTTP, SSE, STDIO = SessionKind.STREAMABLE_HTTP, SessionKind.SSE, SessionKind.STDIO
HANDLE, CLIENT = SessionKind.HANDLE, SessionKind.CLIENT


def session_of(kind: SessionKind, protocol: str = "2025-11-25", **values: object) -> Session:
    return describe(make_record(1, kind=kind, protocol_version=protocol, **values))


@pytest.mark.parametrize("kind", [HTTP, SSE, STDIO])
def test_what_has_a_stream_can_be_written_and_replayed_to(kind: SessionKind) -> None:
    assert why_no_replay(session_of(kind)) == why_no_message(session_of(kind)) == ""


def test_a_handle_takes_messages_through_its_client_and_no_replay() -> None:
    handle = session_of(HANDLE, "2026-07-28")
    assert "2026-07-28" in why_no_replay(handle) and why_no_message(handle) == ""
    assert "listen" in no_stream(handle)


@pytest.mark.parametrize("kind", [SSE, STDIO])
def test_nothing_is_replayed_to_a_client_of_the_newer_era_whatever_carries_it(kind: SessionKind) -> None:
    assert "2026-07-28" in why_no_replay(session_of(kind, "2026-07-28"))


def test_a_listen_stream_says_what_it_asked_for() -> None:
    info = StreamInfo(7, "listen", "subscriptions/listen", 1.0, 0, None, None, asked_for=(URI, "list of tools"))
    row = make_stream_row(info, Urls(), session_of(CLIENT, "2026-07-28"), gap=None, trouble="", can_act=True)
    assert f"{URI}, list of tools" in Templates(Urls()).render(StreamList((row,), (), "", (), ""))


def test_what_has_ended_takes_nothing() -> None:
    ended = session_of(HTTP, state=SessionState.CLOSED)
    assert why_no_replay(ended) == why_no_message(ended) == "The session has ended."


def test_a_session_without_a_stream_says_why_by_its_transport() -> None:
    ended = {kind: no_stream(session_of(kind, state=SessionState.CLOSED)) for kind in (HTTP, SSE, STDIO)}
    assert ended[SSE] == ended[STDIO] and "is its connection" in ended[SSE]
    assert "has ended" in ended[HTTP] and "GET" in no_stream(session_of(HTTP))


@pytest.mark.parametrize(("kind", "has_limit"), [(HTTP, True), (HANDLE, True), (SSE, False), (STDIO, False)])
def test_a_session_that_is_its_connection_has_no_idle_limit(kind: SessionKind, has_limit: bool) -> None:
    assert (why_no_idle_limit(session_of(kind)) == "") is has_limit


@pytest.mark.parametrize(
    ("kind", "protocol", "stream", "name", "reason"),
    [
        (SSE, "2025-11-25", 0, "sse", "expire the session instead"),
        (STDIO, "2025-11-25", 0, "stdio", "expire the session instead"),
        (HTTP, "2025-06-18", 7, "post", "cancel the call instead"),
        (HTTP, "2025-06-18", 0, "get", ""),
        (HTTP, "2025-11-25", 7, "post", ""),
        (CLIENT, "2026-07-28", 7, "listen", ""),
    ],
)
def test_a_stream_that_cannot_be_closed_shows_why_beside_the_disabled_button(
    kind: SessionKind, protocol: str, stream: int, name: str, reason: str
) -> None:
    info = StreamInfo(stream, name, None, 1.0, 0, None, None)
    row = make_stream_row(info, Urls(), session_of(kind, protocol), gap=None, trouble="", can_act=True)
    assert (reason in row.why_not_closable, bool(row.close_url)) == (True, not reason)
    html = Templates(Urls()).render(StreamList((row,), (), "", (), ""))
    assert ("disabled" in html and reason in html) if reason else "hx-get" in html


def test_a_client_says_whether_its_era_or_stateless_is_the_reason() -> None:
    newer, stateless = session_of(CLIENT, "2026-07-28"), session_of(CLIENT, "2025-11-25")
    assert (why_sessionless(newer), why_sessionless(stateless)) == ("MCP 2026-07-28", "--stateless")
    assert make_client_row(stateless, 0, "").why == "--stateless"
    assert "subscriptions/listen" in no_stream(newer) and "--stateless" in no_stream(stateless)
