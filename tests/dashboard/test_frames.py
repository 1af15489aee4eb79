"""Live frames: what changed and nothing else, rows in place, and a position from which nothing is lost."""

from __future__ import annotations

import time
from functools import partial

import pytest

from switchroom.dashboard.frames import Frame, FrameSource, Resync
from switchroom.dashboard.frames.broadcast import BroadcastFrames
from switchroom.dashboard.frames.clients import ClientFrames
from switchroom.dashboard.frames.overview import OverviewFrames
from switchroom.dashboard.frames.session import SessionPageFrames
from switchroom.dashboard.frames.sessions import SessionFrames
from switchroom.dashboard.frames.sources import Follow, make_source
from switchroom.dashboard.queries import EVENTS_SHOWN, LogQuery, SessionQuery
from switchroom.dashboard.templating import Templates
from switchroom.dashboard.urls import Urls
from switchroom.server.directory import RANGES
from switchroom.server.errors import InvalidInput
from switchroom.server.models import Actor, EventKind, Role, Session
from tests.support.console import Console, McpCaller
from tests.support.html import Element, parse
from tests.support.pages import modern_call, opened

pytestmark = pytest.mark.anyio

OPERATOR = Actor("ana", Role.OPERATOR)


@pytest.fixture
def templates() -> Templates:
    return Templates(Urls())


def list_frames(console: Console, templates: Templates, rows: list[Session], q: str = "") -> SessionFrames:
    return SessionFrames(
        console.room.directory,
        templates,
        Urls(),
        SessionQuery(q),
        [row.id for row in rows],
        total=len(rows),
        rendered_at=time.time(),
        can_act=True,
    )


def page_frames(
    console: Console, templates: Templates, session_id: str, tab: str, *, follows_log: bool = True
) -> SessionPageFrames:
    return SessionPageFrames(
        console.room,
        templates,
        Urls(),
        session_id,
        tab,
        LogQuery(),
        minutes=15,
        follows_log=follows_log,
        can_act=True,
    )


async def settled(source: FrameSource, since: int) -> int:
    """Take frames until one is empty, as a follower who has caught up; return the position."""
    while (frame := await source.frame(since)).html:
        since = frame.n
    return frame.n


def targets(frame: Frame) -> dict[str, Element]:
    found = parse(frame.html).select("hx-partial")
    return {each.attributes["hx-target"]: each for each in found}


async def caller_of(console: Console, name: str = "tester") -> tuple[McpCaller, Session]:
    caller = console.mcp_client()
    await caller.initialize(name)
    return caller, await console.room.directory.lookup(caller.secret)


async def test_a_change_sends_its_own_row_only(console: Console, templates: Templates) -> None:
    busy_caller, busy = await caller_of(console, "busy")
    quiet = await opened(console, "quiet")
    source = list_frames(console, templates, [busy, quiet])
    since = await settled(source, console.room.directory.changes.version)
    await busy_caller.call("set_session_data", key="a", value="b")
    frame = await source.frame(since)
    rows = {target for target in targets(frame) if target.startswith("#s-")}
    assert rows == {f"#s-{busy.id}"} and frame.n == console.room.directory.changes.version
    row = targets(frame)[f"#s-{busy.id}"]
    assert row.attributes["hx-swap"] == "outerMorph" and row.one("tr").attributes["id"] == f"s-{busy.id}"
    assert "\r" not in frame.html


async def test_what_changed_before_the_stream_opened_is_sent_first(console: Console, templates: Templates) -> None:
    caller, session = await caller_of(console)
    since = console.room.directory.changes.version
    await caller.call("set_session_data", key="a", value="b")
    frame = await list_frames(console, templates, [session]).frame(since)
    assert f"#s-{session.id}" in targets(frame)


async def test_nothing_new_is_an_empty_frame(console: Console, templates: Templates) -> None:
    session = await opened(console)
    source = list_frames(console, templates, [session])
    since = await settled(source, console.room.directory.changes.version)
    assert (await source.frame(since)).html == ""


async def test_a_new_match_only_changes_the_pill(console: Console, templates: Templates) -> None:
    session = await opened(console, "shown")
    source = list_frames(console, templates, [session], "client:shown")
    late = await opened(console, "shown")
    frame = await source.frame(console.room.directory.changes.version)
    assert "1 new session matches. Show it" in targets(frame)["#pending"].text
    assert f"#s-{late.id}" not in targets(frame)


async def test_a_session_that_ends_stays_in_its_place_and_is_dimmed(console: Console, templates: Templates) -> None:
    session = await opened(console)
    source = list_frames(console, templates, [session])
    since = await settled(source, console.room.directory.changes.version)
    await console.room.operations.expire(OPERATOR, "r", session_ids=[session.id])
    row = targets(await source.frame(since))[f"#s-{session.id}"].one("tr")
    assert "ended" in row.classes and row.one("td.c2").text == "Expired"


async def test_a_viewer_s_rows_have_nothing_to_choose(console: Console, templates: Templates) -> None:
    session = await opened(console)
    query = {"view": "sessions", "rows": session.id, "at": "1"}
    source = make_source(Follow(console.room, templates, Urls(), Actor("vera", Role.VIEWER), query))
    assert not parse((await source.frame(0)).html).select("input.pick")


async def test_new_events_come_before_the_others_and_answer_their_requests(
    console: Console, templates: Templates
) -> None:
    caller, session = await caller_of(console)
    source = page_frames(console, templates, session.id, "events")
    before = session.event_count
    await caller.call("set_session_data", key="a", value="b")
    frame = await source.frame(before)
    log = targets(frame)["#log-rows"]
    numbers = [int(row.attributes["id"][2:]) for row in log.select("tr")]
    assert log.attributes["hx-swap"] == "afterbegin" and numbers == sorted(numbers, reverse=True)
    assert frame.n == numbers[0] and numbers[-1] == before + 1
    request = next(row for row in log.select("tr") if "request" in row.one("div.way").text)
    assert "ms" in request.one("td.took").text and "set_session_data" in request.one("td.m").text
    assert (await source.frame(frame.n)).n == frame.n


async def test_resuming_from_any_position_loses_and_doubles_nothing(console: Console, templates: Templates) -> None:
    session = await opened(console, calls=4)
    everything = list(range(1, session.event_count + 1))
    for cut in everything:
        frame = await page_frames(console, templates, session.id, "events").frame(cut)
        log = targets(frame).get("#log-rows")
        numbers = [int(row.attributes["id"][2:]) for row in log.select("tr")] if log else []
        assert [*everything[:cut], *sorted(numbers)] == everything


async def test_more_events_than_a_page_holds_mean_reading_it_again(console: Console, templates: Templates) -> None:
    session = await opened(console)
    live = console.room.engine.by_id[session.id]
    for number in range(EVENTS_SHOWN + 1):
        live.note(EventKind.KEY, "set", f'{{"key": "{number}"}}')
    with pytest.raises(Resync):
        await page_frames(console, templates, session.id, "events").frame(session.event_count)


async def test_the_head_s_numbers_and_the_tab_follow(console: Console, templates: Templates) -> None:
    caller, session = await caller_of(console)
    await caller.call("set_session_data", key="plan", value="x")
    for tab, part in (("keys", "#keys-table"), ("streams", "#streams"), ("timeline", "#timeline")):
        parts = targets(await page_frames(console, templates, session.id, tab, follows_log=False).frame(0))
        assert {"#summary", "#status", "#tabs", part} <= set(parts)
    assert "plan" in targets(await page_frames(console, templates, session.id, "keys").frame(0))["#keys-table"].text


async def test_a_session_s_end_makes_its_page_read_itself_again(console: Console, templates: Templates) -> None:
    session = await opened(console)
    await console.room.operations.expire(OPERATOR, "r", session_ids=[session.id])
    with pytest.raises(Resync):
        await page_frames(console, templates, session.id, "timeline").frame(0)


async def test_a_receipt_fills_while_the_message_goes_out(console: Console, templates: Templates) -> None:
    session = await opened(console)
    sent = await console.room.operations.broadcast(OPERATOR, text="hello")
    source = BroadcastFrames(console.room.directory, templates, Urls(), sent.id, "queued", [session.id], can_act=True)
    frame = await source.frame(0)
    receipt = targets(frame)["#receipt"]
    assert "of 1 settled" in receipt.text
    (current,) = [a for a in receipt.select("a") if "aria-current" in a.attributes]
    assert "Queued" in current.text
    assert f"#r-{session.id}" in targets(frame)


async def test_the_overview_follows_its_parts(console: Console, templates: Templates) -> None:
    await opened(console)
    source = OverviewFrames(console.room, templates, Urls(), RANGES[0])
    parts = targets(await source.frame(0))
    charts = {f"#chart-{name}" for name in ("sessions", "requests", "errors", "latency")}
    assert {"#numbers", "#facets", "#attention", "#recent"} | charts <= set(parts)
    assert not charts & set(targets(await source.frame(0)))


async def test_clients_are_patched_in_place_and_new_ones_wait(console: Console, templates: Templates) -> None:
    await modern_call(console, "open_session", client="first")
    (first,) = await console.room.directory.clients()
    await modern_call(console, "open_session", client="second")
    frame = await ClientFrames(console.room.directory, templates, Urls(), [first.id]).frame(0)
    assert set(targets(frame)) == {f"#c-{first.id}"}
    assert 'client:first">1</a>' in frame.html  # the handle that it holds, and no more


@pytest.mark.parametrize(
    "query",
    [
        {"view": "nothing"},
        {},
        {"view": "session"},
        {"view": "session", "id": "../x"},
        {"view": "broadcast", "id": "1"},
        {"view": "sessions", "q": "clint:x"},
        {"view": "calls", "q": "clint:x"},
    ],
)
async def test_an_address_that_follows_nothing_is_refused(
    console: Console, templates: Templates, query: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput):
        make_source(Follow(console.room, templates, Urls(), OPERATOR, query))


@pytest.mark.parametrize(
    "query",
    [
        {"view": "sessions", "rows": "x," * 9_000, "total": "-1", "at": "9" * 40, "size": "x", "sort": "no"},
        {"view": "session", "id": "0000000000000", "tab": "x", "range": "7", "sel": "-3", "kind": "x"},
        {"view": "overview", "range": "<b>"},
        {"view": "calls", "rows": "<b>,x-1", "hung": "2"},
        {"view": "clients"},
    ],
)
async def test_odd_parameters_fall_back_to_what_a_page_would_ask(
    console: Console, templates: Templates, query: dict[str, str]
) -> None:
    make = partial(make_source, Follow(console.room, templates, Urls(), OPERATOR, query))
    assert make() is not None
