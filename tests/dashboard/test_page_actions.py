"""Forms and what they do: by htmx, as plain pages, refused, and against stale numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import anyio
import httpx2
import pytest

from switchroom.server.models import Role, SessionState
from tests.support.console import Console
from tests.support.html import Element
from tests.support.pages import HTMX, modern_call, newest, opened, read, running_pages
from tests.support.servers import eventually
from tests.support.toolbox import Toolbox

pytestmark = pytest.mark.anyio

CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    async with running_pages() as running:
        yield running


@pytest.fixture
async def browser(console: Console) -> httpx2.AsyncClient:
    return await console.signed_in()


async def state_of(console: Console, session_id: str) -> SessionState:
    return (await console.room.directory.session(session_id)).state


def fields(form: Element) -> dict[str, str | list[str]]:
    """Return what a browser would send of a form, untouched."""
    values: dict[str, str | list[str]] = {}
    for each in form.select("input"):
        if each.attributes.get("type") not in ("radio", "checkbox") or "checked" in each.attributes:
            before = values.get(each.attributes["name"], [])
            values[each.attributes["name"]] = [*before, each.attributes.get("value", "")]
    return values


async def test_expiring_one_session_tells_the_page_and_writes_the_audit_log(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    session = await opened(console, "claude-code")
    path = f"/admin/sessions/{session.id}/expiration"
    form = read(await browser.get(path, headers=HTMX)).one("form.sheet")
    assert "claude-code" in form.one("h2").text and "cannot be undone" in form.text
    answer = await browser.post(path, data={"reason": "drain web-2"}, headers=HTMX)
    assert answer.status_code == 200 and answer.headers["hx-trigger"] == "dialog:close"
    assert "Expired 1 session" in read(answer).one("div.toast").text
    assert await state_of(console, session.id) is SessionState.EXPIRED
    page = read(await browser.get(f"/admin/sessions/{session.id}"))
    assert "Expired by ana" in page.text and "drain web-2" in page.text
    trail = read(await browser.get(f"/admin/sessions/{session.id}/audit"))
    assert "drain web-2" in trail.one("section#trail").text and "1 expired" in trail.one("section#trail").text


async def test_without_script_the_result_is_shown_on_the_page_one_is_led_to(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    session = await opened(console)
    answer = await browser.post(f"/admin/sessions/{session.id}/expiration", data={"reason": "r"})
    assert answer.status_code == 303
    page = read(await browser.get(answer.headers["location"]))
    assert "Expired 1 session" in page.one("p.flash").text


async def test_a_result_that_a_link_made_up_is_not_shown(browser: httpx2.AsyncClient) -> None:
    page = read(await browser.get("/admin/sessions?done=Your+password+has+expired"))
    assert not page.select("p.flash")


async def test_an_empty_reason_comes_back_with_the_field_marked(console: Console, browser: httpx2.AsyncClient) -> None:
    session = await opened(console)
    answer = await browser.post(f"/admin/sessions/{session.id}/expiration", data={"reason": " "}, headers=HTMX)
    form = read(answer, 422)
    assert form.one("input#reason").attributes["aria-invalid"] == "true" and "reason" in form.one("p.error").text
    assert await state_of(console, session.id) is SessionState.INITIALIZED


async def test_chosen_sessions_are_expired_and_the_others_stay(console: Console, browser: httpx2.AsyncClient) -> None:
    chosen = [await opened(console, name) for name in ("a", "b")]
    other = await opened(console, "c")
    form = read(await browser.get("/admin/expirations", params={"id": [each.id for each in chosen]})).one("form.sheet")
    assert form.one("h2").text == "Expire 2 sessions?" and not form.select("input#confirm")
    answer = await browser.post("/admin/expirations", data={**fields(form), "reason": "r"}, headers=HTMX)
    assert answer.headers["hx-trigger"] == "dialog:close,selection:clear"
    assert [await state_of(console, each.id) for each in chosen] == [SessionState.EXPIRED] * 2
    assert await state_of(console, other.id) is SessionState.INITIALIZED


async def test_by_filter_the_number_has_to_be_typed_and_exceptions_hold(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    kept = await opened(console, "kept")
    gone = [await opened(console, f"gone-{number}") for number in range(3)]
    params = {"q": "client:*", "except": [kept.id]}
    form = read(await browser.get("/admin/expirations", params=params)).one("form.sheet")
    assert form.attributes["data-confirm"] == "expire 3" and "except 1 chosen" in form.text
    sent = {**fields(form), "reason": "r"}
    refused = read(await browser.post("/admin/expirations", data={**sent, "confirm": "expire 2"}, headers=HTMX), 422)
    assert "Type exactly: expire 3" in refused.text and refused.one("input#reason").attributes["value"] == "r"
    await browser.post("/admin/expirations", data={**sent, "confirm": "expire 3"}, headers=HTMX)
    assert [await state_of(console, each.id) for each in gone] == [SessionState.EXPIRED] * 3
    assert await state_of(console, kept.id) is SessionState.INITIALIZED


async def test_a_filter_that_matches_many_more_by_now_expires_nothing(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    await opened(console, "first")
    form = read(await browser.get("/admin/expirations", params={"q": "client:*"})).one("form.sheet")
    for number in range(5):
        await opened(console, f"late-{number}")
    sent = {**fields(form), "reason": "r", "confirm": form.attributes["data-confirm"]}
    again = read(await browser.post("/admin/expirations", data=sent, headers=HTMX), 422)
    assert "now matches 6" in again.text and again.one("form").attributes["data-confirm"] == "expire 6"
    assert {session.state for session in await newest(console)} == {SessionState.INITIALIZED}


async def test_a_message_reaches_the_receipt(console: Console, browser: httpx2.AsyncClient) -> None:
    session = await opened(console)
    path = f"/admin/sessions/{session.id}/messages"
    form = read(await browser.get(path, headers=HTMX)).one("form.sheet")
    sent = {**fields(form), "text": "hello", "level": "info"}
    toast = read(await browser.post(path, data=sent, headers=HTMX))
    again = read(await browser.post(path, data=sent, headers=HTMX))
    receipt = toast.one("a").attributes["href"]
    assert again.one("a").attributes["href"] == receipt, "one form sends one message"
    page = read(await browser.get(receipt))
    assert page.one("p.message").text == "hello" and "1 of 1" in page.one("section#receipt").text
    assert "Queued" in page.one("table").text


async def test_an_empty_message_is_refused_in_the_form(console: Console, browser: httpx2.AsyncClient) -> None:
    session = await opened(console)
    form = read(await browser.post(f"/admin/sessions/{session.id}/messages", data={"text": " "}, headers=HTMX), 422)
    assert "Write a message" in form.one("p.error").text


async def test_the_composer_counts_its_audience_and_leads_to_the_receipt(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    for name in ("a", "a", "b"):
        await opened(console, name)
    page = read(await browser.get("/admin/broadcasts/new", params={"audience": "filter", "q": "client:a"}))
    assert page.one("button#send").text == "Send to 2 sessions"
    sent = {**fields(page.one("form#composer")), "text": "maintenance", "level": "warning", "minutes": "5"}
    answer = await browser.post("/admin/broadcasts", data=sent)
    assert answer.status_code == 303
    receipt = read(await browser.get(answer.headers["location"]))
    assert "2 of 2 settled" in receipt.one("section#receipt").text and "client:a" in receipt.text
    assert "maintenance" in read(await browser.get("/admin/broadcasts")).one("table").text


async def test_a_list_hands_over_its_filter_and_its_exceptions(console: Console, browser: httpx2.AsyncClient) -> None:
    kept, *_ = [await opened(console, name) for name in ("a", "a", "b")]
    query = {"q": "client:a", "all": "1", "except": kept.id}
    page = read(await browser.get("/admin/broadcasts/new", params=query))
    assert page.one("input#exclude").attributes["value"] == f"id:{kept.id}"
    assert page.one("button#send").text == "Send to 1 session"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"text": ""}, "Write a message"),
        ({"text": "x", "audience": "filter", "q": "clint:a"}, "did you mean"),
        ({"text": "x", "audience": "chosen", "id": ["0000000000000"]}, "None of the chosen"),
    ],
)
async def test_a_broadcast_that_cannot_be_sent_comes_back_filled_in(
    console: Console, browser: httpx2.AsyncClient, sent: dict[str, str], words: str
) -> None:
    await opened(console)
    page = read(await browser.post("/admin/broadcasts", data=sent), 422)
    assert words in page.one("form#composer").text
    assert page.one("textarea#text").text == sent["text"]


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


async def test_an_operator_sets_limits_in_a_dialog_and_the_history_shows_it(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    session = await opened(console)
    path = f"/admin/sessions/{session.id}/timeouts"
    form = read(await browser.get(path))
    assert "idle 30m, lifetime none" in form.text and "the server's setting" in form.one("p#idle-hint").text
    wrong = read(await browser.post(path, data={"idle": "soon", "reason": "r"}, headers=HTMX), 422)
    assert "write 30m, 2h, 1d, or none" in wrong.one("p#idle-hint").text
    assert wrong.one("input#idle").attributes["value"] == "soon"
    short = read(await browser.post(path, data={"lifetime": "1ms", "reason": "r"}, headers=HTMX), 422)
    assert "Expire it instead" in short.one("p#lifetime-hint").text
    assert "Give a reason" in read(await browser.post(path, data={"idle": "2h"}, headers=HTMX), 422).text
    answer = await browser.post(path, data={"idle": "2h", "lifetime": "1d", "reason": "long <job>"})
    assert answer.status_code == 303
    page = read(await browser.get(answer.headers["location"]))
    assert "idle 30m to 2h, lifetime none to 1d" in page.text
    step = page.one("section#history").select("li")[-1]
    assert "limits: idle 2h, lifetime 1d" in step.text and "long <job>" in step.text
    assert page.one("section#history").select("li")[0].text.startswith("Initializing")


async def test_a_sessionless_client_is_not_dressed_up_as_a_session(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    await modern_call(console, "open_session", client="batch")
    roster = read(await browser.get("/admin/clients"))
    (row,) = [each for each in roster.select("tr") if "id" in each.attributes]
    assert "batch" in row.text and "not an identity" in row.text
    page = read(await browser.get(row.one("a").attributes["href"]))
    assert "cannot be expired" in page.text and not [a for a in page.select("a") if a.text.startswith("Expire")]
    assert "tools/call" in page.one("tbody#log-rows").text
    handles = [a for a in page.select("a") if a.text == "handle sessions"]
    listed = read(await browser.get(handles[0].attributes["href"]))
    assert len([each for each in listed.select("tr") if "id" in each.attributes]) == 1


async def test_a_session_s_address_below_clients_leads_to_the_session(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    session = await opened(console)
    answer = await browser.get(f"/admin/clients/{session.id}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/sessions/{session.id}")


ACTIONS = [
    "/admin/expirations",
    "/admin/broadcasts",
    "/admin/broadcasts/0000000000000/stop",
    *(f"/admin/sessions/0000000000000/{noun}" for noun in ("expiration", "replays", "messages", "cancellations")),
]


@pytest.mark.parametrize("path", ACTIONS)
async def test_a_viewer_is_refused_every_action(console: Console, path: str) -> None:
    viewer = await console.signed_in(Role.VIEWER, "vera")
    assert (await viewer.post(path, data={"reason": "r", "text": "t"})).status_code == 403


@pytest.mark.parametrize("path", ACTIONS)
async def test_a_form_of_another_site_changes_nothing(browser: httpx2.AsyncClient, path: str) -> None:
    answer = await browser.post(path, data={"reason": "r", "text": "t"}, headers=CROSS_SITE)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ACTIONS)
async def test_an_action_cannot_be_taken_by_a_link(browser: httpx2.AsyncClient, console: Console, path: str) -> None:
    session = await opened(console)
    await browser.get(path.replace("0000000000000", session.id), params={"reason": "r", "text": "t"})
    assert await state_of(console, session.id) is SessionState.INITIALIZED
    assert await console.room.directory.broadcasts() == []


async def test_a_call_that_was_answered_meanwhile_has_nothing_to_cancel(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    session = await opened(console, calls=1)
    path = f"/admin/sessions/{session.id}/cancellations"
    answer = await browser.get(path, params={"request_id": "1"}, headers=HTMX)
    assert answer.status_code == 404 and "answered meanwhile" in answer.text


async def test_a_call_in_flight_is_shown_and_cancelled_with_the_reason() -> None:
    box = Toolbox()
    async with running_pages(box.mcp) as console:
        browser = await console.signed_in()
        caller = console.mcp_client()
        await caller.initialize()
        session = await console.room.directory.lookup(caller.secret)
        async with anyio.create_task_group() as group:
            group.start_soon(partial(caller.call, "wait", request_id=7))
            await eventually(lambda: console.room.directory.in_flight(session.id))
            page = read(await browser.get(f"/admin/sessions/{session.id}/streams"))
            link = next(a for a in page.one("section#calls").select("a") if a.text == "Cancel call…")
            form = read(await browser.get(link.attributes["href"], headers=HTMX)).one("form.sheet")
            sent = {**fields(form), "reason": "stuck"}
            toast = read(await browser.post(form.attributes["action"], data=sent, headers=HTMX))
            assert "Cancel call: done" in toast.text
        assert not console.room.directory.in_flight(session.id)
