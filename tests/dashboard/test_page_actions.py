"""Forms and what they do: by htmx, as plain pages, refused, and against stale numbers."""

from __future__ import annotations

from functools import partial

import anyio
import httpx2
import pytest

from switchroom.server.models import Role, SessionState
from tests.support.console import Console
from tests.support.pages import HTMX, form_values, modern_call, newest, opened, read, running_pages, state_of
from tests.support.servers import eventually
from tests.support.toolbox import Toolbox

pytestmark = pytest.mark.anyio

CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}


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
    answer = await browser.post("/admin/expirations", data={**form_values(form), "reason": "r"}, headers=HTMX)
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
    sent = {**form_values(form), "reason": "r"}
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
    sent = {**form_values(form), "reason": "r", "confirm": form.attributes["data-confirm"]}
    again = read(await browser.post("/admin/expirations", data=sent, headers=HTMX), 422)
    assert "now matches 6" in again.text and again.one("form").attributes["data-confirm"] == "expire 6"
    assert {session.state for session in await newest(console)} == {SessionState.INITIALIZED}


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
    name, held = row.select("a")
    assert held.text == "1"
    page = read(await browser.get(name.attributes["href"]))
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
            sent = {**form_values(form), "reason": "stuck"}
            toast = read(await browser.post(form.attributes["action"], data=sent, headers=HTMX))
            assert "Cancel call: done" in toast.text
        assert not console.room.directory.in_flight(session.id)
