"""Replaying from a session's page."""

from __future__ import annotations

import httpx2
import pytest

from switchroom.server.models import SessionState
from tests.support.console import Console
from tests.support.pages import HTMX, modern_call, newest, opened, read, state_of

pytestmark = pytest.mark.anyio


async def test_a_replay_shows_what_became_of_each_event(console: Console, browser: httpx2.AsyncClient) -> None:
    session = await opened(console, calls=1)
    await browser.post(f"/admin/sessions/{session.id}/messages", data={"text": "hello"})
    path = f"/admin/sessions/{session.id}/replays"
    form = read(await browser.get(path, headers=HTMX)).one("form.sheet")
    assert "may process them twice" in form.text and "not open: they wait up to" in form.text
    done = read(await browser.post(path, data={"choice": "from", "from_seq": "1"}, headers=HTMX))
    words = [each.text for each in done.one("dl.numbers").select("b")]
    assert words[:2] == ["0", "1"], "no stream is open, so it waits"
    assert "does not allow an answer to be sent twice" in done.one("table").text


async def test_a_replay_says_before_what_it_would_do_and_what_mcp_forbids(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    session = await opened(console, calls=1)
    await browser.post(f"/admin/sessions/{session.id}/messages", data={"text": "hello"})
    path = f"/admin/sessions/{session.id}/replays"
    everything = read(await browser.get(path, params={"choice": "from", "from_seq": "1"}))
    plan = everything.one("div#replay-plan")
    assert "1 of" in plan.one("b").text and "does not allow an answer to be sent twice" in plan.text
    assert everything.one("button#replay-go").text == "Replay 1 event"
    first = read(await browser.get(path, params={"choice": "one", "seq": "1"})).one("div#replay-plan")
    assert "nothing would be sent" in first.text and "It was not sent" not in first.text
    wrong = read(await browser.get(path, params={"choice": "range", "range_from": "9", "range_to": "2"}))
    assert "give the smaller event number first" in wrong.one("div#replay-plan").text
    events = (await console.room.directory.session(session.id)).event_count
    assert read(await browser.get(path, params={"choice": "one", "seq": "1"})) and events == (
        (await console.room.directory.session(session.id)).event_count
    ), "asking changes nothing"


@pytest.mark.parametrize(
    "sent", [{}, {"choice": "one"}, {"choice": "one", "seq": "x"}, {"choice": "range", "from_seq": "1"}]
)
async def test_a_replay_without_a_proper_choice_is_refused_in_the_form(
    console: Console, browser: httpx2.AsyncClient, sent: dict[str, str]
) -> None:
    session = await opened(console)
    form = read(await browser.post(f"/admin/sessions/{session.id}/replays", data=sent, headers=HTMX), 422)
    assert form.one("p.error").text


async def test_a_handle_session_says_why_nothing_can_be_replayed_to_it_and_can_be_expired(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    await modern_call(console, "open_session")
    (session,) = await newest(console)
    page = read(await browser.get(f"/admin/sessions/{session.id}"))
    assert "nothing to replay on" in page.one("p#why-no-replay").text
    (disabled,) = [each for each in page.one("div.actions").select("button") if "disabled" in each.attributes]
    assert (disabled.text, disabled.attributes["aria-describedby"]) == ("Replay…", "why-no-replay")
    assert [each.text for each in page.one("div.actions").select("a")] == ["Message…", "Limits…", "Block…", "Expire…"]
    form = read(await browser.post(f"/admin/sessions/{session.id}/replays", data={"choice": "one", "seq": "1"}), 422)
    assert "MCP 2026-07-28 has none" in form.text
    await browser.post(f"/admin/sessions/{session.id}/expiration", data={"reason": "r"})
    assert await state_of(console, session.id) is SessionState.EXPIRED
