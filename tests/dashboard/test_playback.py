"""Playing a log: any moment has an address, and shows what was so then and not what is so now."""

from __future__ import annotations

import httpx2
import pytest

from switchroom.server.models import Direction, EventKind, Session
from switchroom.server.store.base import EventQuery
from tests.support.console import Console, McpCaller
from tests.support.html import Element
from tests.support.pages import read

pytestmark = pytest.mark.anyio


async def story(console: Console) -> tuple[McpCaller, Session]:
    """A session whose key `plan` was set twice and then deleted."""
    caller = console.mcp_client()
    await caller.initialize("player")
    await caller.call("set_session_data", request_id=1, key="plan", value="first")
    await caller.call("set_session_data", request_id=2, key="plan", value="second")
    await caller.call("delete_session_data", request_id=3, key="plan")
    return caller, await console.room.directory.lookup(caller.secret)


async def numbers(console: Console, session: Session, kind: EventKind) -> list[int]:
    page = await console.room.directory.events(session.id, EventQuery(kinds=(kind,)))
    return [event.seq for event in page.events]


async def moment(browser: httpx2.AsyncClient, session: Session, **query: object) -> Element:
    address = f"/admin/sessions/{session.id}/events"
    params = {"play": "step", **{name: str(value) for name, value in query.items()}}
    return read(await browser.get(address, params=params))


async def test_stepping_through_visits_every_event_once(console: Console) -> None:
    _, session = await story(console)
    browser = await console.signed_in()
    page = await moment(browser, session)
    seen = [page.one("input#play-at").attributes["value"]]
    while links := page.select("a[data-key=next]"):
        page = read(await browser.get(links[0].attributes["href"]))
        seen.append(page.one("input#play-at").attributes["value"])
    assert [int(each) for each in seen] == list(range(1, session.event_count + 1))
    back = page.one("a[data-key=previous]").attributes["href"]
    assert read(await browser.get(back)).one("input#play-at").attributes["value"] == str(session.event_count - 1)


async def test_a_moment_shows_the_stored_keys_as_they_were(console: Console) -> None:
    _, session = await story(console)
    browser = await console.signed_in()
    set_first, set_again, deleted = await numbers(console, session, EventKind.KEY)
    before = await moment(browser, session, at=set_first - 1)
    assert "No key was stored." in before.one("div#playback").text
    for at, value in ((set_first, '"first"'), (set_again - 1, '"first"'), (set_again, '"second"')):
        page = await moment(browser, session, at=at)
        table = next(each for each in page.select("section") if "Stored keys then" in each.text)
        assert value in table.text
        assert ("set now" in table.text) == (at in (set_first, set_again))
    assert "No key was stored." in (await moment(browser, session, at=deleted)).one("div#playback").text


async def test_a_moment_shows_the_calls_that_were_in_flight_then(console: Console) -> None:
    _, session = await story(console)
    browser = await console.signed_in()
    requests = await numbers(console, session, EventKind.REQUEST)
    during = await moment(browser, session, at=requests[-1])
    calls = next(each for each in during.select("section") if "Calls in flight then" in each.text)
    assert "1 not answered" in calls.text and "delete_session_data" in calls.text
    after = await moment(browser, session, at=session.event_count)
    assert "Every request had been answered." in after.text


async def test_time_leads_to_the_newest_event_by_then_and_never_back(console: Console) -> None:
    _, session = await story(console)
    browser = await console.signed_in()
    events = (await console.room.directory.events(session.id, EventQuery())).events
    page = await moment(browser, session, at=1, t=events[4].at)
    shown = int(page.one("input#play-at").attributes["value"])
    assert events[shown - 1].at <= events[4].at + 0.0005 and shown >= 5
    late = await moment(browser, session, at=6, t=events[0].at)
    assert late.one("input#play-at").attributes["value"] == "6"


async def test_a_filter_is_stepped_through_and_one_that_finds_nothing_says_so(console: Console) -> None:
    _, session = await story(console)
    browser = await console.signed_in()
    keys = await numbers(console, session, EventKind.KEY)
    page = await moment(browser, session, kind="key")
    assert page.one("input#play-at").attributes["value"] == str(keys[0])
    page = read(await browser.get(page.one("a[data-key=next]").attributes["href"]))
    assert page.one("input#play-at").attributes["value"] == str(keys[1])
    assert "No event matches" in (await moment(browser, session, errors=1)).text


async def test_a_dropped_moment_leads_to_the_nearest_that_is_kept(console: Console) -> None:
    _, session = await story(console)
    browser = await console.signed_in()
    page = await moment(browser, session, at=10_000)
    assert page.one("input#play-at").attributes["value"] == str(session.event_count)


async def test_what_was_in_flight_is_told_from_the_log(console: Console) -> None:
    _, session = await story(console)
    requests = await numbers(console, session, EventKind.REQUEST)
    past = await console.room.directory.calls_at(session.id, requests[1])
    (call,) = past.calls
    assert (call.seq, call.target, call.direction) == (requests[1], "set_session_data", Direction.FROM_CLIENT)
    assert past.is_whole
