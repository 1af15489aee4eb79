"""The session page while it is live: one stream, nothing lost, nothing moved, and the truth about the connection."""

from __future__ import annotations

import asyncio
import re
import signal
from typing import Any

import pytest
from mcp import Client
from playwright.async_api import Page, Route, expect

from tests.support.browsing import LiveStreams, Window, set_hidden, signed_in
from tests.support.clients import connected
from tests.support.processes import Served
from tests.support.proxy import cutting_proxy

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def open_session(window: Window, name: str, tab: str = "") -> str:
    """Open the page of that client's session and return its path."""
    await window.open(f"/admin/sessions?q=client:{name}")
    path = await window.page.locator("tbody tr a").first.get_attribute("href")
    assert path is not None
    await window.open(f"{path}{tab}")
    return path


async def numbers(page: Page) -> list[int]:
    """Return the events the log shows, from the top."""
    rows: list[str] = await page.locator("#log-rows tr").evaluate_all("rows => rows.map(row => row.id)")
    return [int(row[2:]) for row in rows]


async def say(client: Client, times: int, text: str = "hello") -> None:
    for number in range(times):
        await client.call_tool("echo", {"text": f"{text} {number}"})


async def until_shown(page: Page, seq: int) -> None:
    await expect(page.locator(f"#e-{seq}")).to_be_attached(timeout=8_000)


async def newest(served: Served, name: str) -> int:
    """Return the number of the newest event of that client's session."""
    async with served.api("viewer") as api:
        answer = await api.get("/sessions", params={"q": f"client:{name}"})
        return int(answer.json()["items"][0]["event_count"])


async def test_a_page_holds_exactly_one_stream_through_filters_back_and_forward(served: Served) -> None:
    async with connected(served.mcp, name="one-stream"), signed_in(served) as window:
        page, live = window.page, LiveStreams(window.page)
        await open_session(window, "one-stream", "/events")
        await window.until_live()
        for kind in ("request", "response", "notification", "lifecycle", ""):
            await page.get_by_label("Kind").select_option(kind)
            await page.wait_for_url(re.compile(rf"[?&]kind={kind}(&|$)"))
            await expect(page.get_by_label("Kind")).to_have_value(kind)
        await live.until(1)
        await page.go_back()
        await expect(page.get_by_label("Kind")).to_have_value("lifecycle")
        await page.go_forward()
        await expect(page.get_by_label("Kind")).to_have_value("")
        await live.until(1)
        await window.until_live()
        assert window.complaints == [] and await window.violations() == []


async def test_a_hidden_tab_drops_its_stream_and_resumes_where_it_was(served: Served) -> None:
    async with connected(served.mcp, name="hidden") as (client, _), signed_in(served) as window:
        page, live = window.page, LiveStreams(window.page)
        await open_session(window, "hidden", "/events")
        await window.until_live()
        await say(client, 1)
        await until_shown(page, await newest(served, "hidden"))
        await set_hidden(page, True)
        await live.until(0, 1.0)
        await say(client, 3)
        await set_hidden(page, False)
        await live.until(1, 1.5)
        assert live.resumed_from[-1] is not None
        last = await newest(served, "hidden")
        await until_shown(page, last)
        assert await numbers(page) == list(range(last, 0, -1))


async def test_a_cut_stream_comes_back_and_the_log_has_no_gap_and_no_double(served: Served) -> None:
    async with (
        cutting_proxy(served.base) as (proxy, base),
        connected(served.mcp, name="cut") as (client, _),
        signed_in(served, base=base) as window,
    ):
        page, live = window.page, LiveStreams(window.page)
        await open_session(window, "cut", "/events")
        await window.until_live()
        for _ in range(3):
            await say(client, 2)
            await until_shown(page, await newest(served, "cut"))
            proxy.cut()
            await say(client, 3)
            last = await newest(served, "cut")
            await until_shown(page, last)
            assert await numbers(page) == list(range(last, 0, -1))
        assert any(live.resumed_from)
        await expect(page.locator("#banner")).to_be_hidden()


async def test_choosing_events_while_new_ones_come_shows_each_exactly_once(served: Served) -> None:
    async with connected(served.mcp, name="chooser") as (client, _), signed_in(served) as window:
        page = window.page
        await open_session(window, "chooser", "/events")
        await window.until_live()
        talking = asyncio.create_task(say(client, 30))
        for _ in range(5):
            await page.locator("#log-rows tr .at a").nth(2).click()
            await expect(page.locator("#inspector h2")).to_contain_text("Event")
        await talking
        last = await newest(served, "chooser")
        await until_shown(page, last)
        assert await numbers(page) == list(range(last, 0, -1))[:100]
        chosen = page.locator("#log-rows tr[aria-current]")
        await expect(chosen).to_have_count(1)
        assert f"sel={(await chosen.get_attribute('id') or '')[2:]}" in page.url


async def test_a_first_connect_that_fails_is_tried_again(served: Served) -> None:
    async with connected(served.mcp, name="late"), signed_in(served) as window:
        page, refused = window.page, 0

        async def refuse_once(route: Route) -> None:
            nonlocal refused
            refused += 1
            await (route.fulfill(status=503, body="not yet") if refused == 1 else route.continue_())

        await page.route("**/live?*", refuse_once)
        await open_session(window, "late")
        await page.get_by_text("Live", exact=True).first.wait_for(timeout=6_000)
        assert "not yet" not in await page.inner_text("body") and refused >= 2


async def test_a_sign_in_that_has_ended_leads_to_the_sign_in_page_and_back(served: Served) -> None:
    async with connected(served.mcp, name="ended"), signed_in(served) as window:

        async def refuse(route: Route) -> None:
            await window.context.clear_cookies()
            await route.fulfill(status=401, body="")

        path = await open_session(window, "ended")
        await window.page.route("**/live?*", refuse)
        await window.open(f"{path}/events?errors=1")
        await window.page.wait_for_url("**/login?next=*")
        assert f"next={path.replace('/', '%2F')}%2Fevents%3Ferrors%3D1" in window.page.url


async def test_a_server_that_stands_still_is_seen_within_15_seconds(served: Served) -> None:
    async with connected(served.mcp, name="frozen"), signed_in(served) as window:
        page = window.page
        await open_session(window, "frozen")
        await window.until_live()
        served.process.send_signal(signal.SIGSTOP)
        try:
            await expect(page.locator("html")).to_have_attribute("data-connection", "stale", timeout=15_000)
            await expect(page.locator("#banner")).to_be_visible(timeout=5_000)
            await expect(page.locator("#banner-lead")).to_contain_text("Live updates stopped")
            grey = await page.locator("#summary").evaluate("element => getComputedStyle(element).filter")
            ages = await page.locator("#summary time").all_inner_texts()
            for _ in range(2):  # the banner counts the seconds; the ages on the page stand still meanwhile
                said = await page.locator("#banner-lead").inner_text()
                await expect(page.locator("#banner-lead")).not_to_have_text(said)
            assert grey == "grayscale(1)" and await page.locator("#summary time").all_inner_texts() == ages
        finally:
            served.process.send_signal(signal.SIGCONT)
        await window.until_live()
        await expect(page.locator("#banner")).to_be_hidden()


async def test_retry_now_connects_at_once(served: Served) -> None:
    async with connected(served.mcp, name="retried"), signed_in(served) as window:
        page = window.page
        await page.route("**/live?*", lambda route: route.abort())
        await open_session(window, "retried")
        await expect(page.locator("#banner")).to_be_visible(timeout=8_000)
        await page.unroute("**/live?*")
        await page.get_by_role("button", name="Retry now").click()
        await page.get_by_text("Live", exact=True).first.wait_for(timeout=1_500)
        await expect(page.locator("#banner")).to_be_hidden()


async def test_what_an_operator_is_doing_survives_ten_frames(served: Served) -> None:
    async with connected(served.mcp, name="steady") as (client, _), signed_in(served) as window:
        page = window.page
        await say(client, 3)
        await open_session(window, "steady", "?range=5")
        await window.until_live()
        await page.locator("#timeline summary").click()
        row = page.locator("#log-rows tr").nth(1)
        row_id = await row.get_attribute("id")
        await page.locator(f"#{row_id} .at a").focus()
        await page.evaluate(
            "() => { const text = document.querySelector('.ref-line code'); getSelection().selectAllChildren(text); }"
        )
        await page.evaluate("document.getElementById('timeline').dataset.mark = 'same'")
        before: dict[str, Any] = await page.evaluate(_STATE, row_id)
        frames = asyncio.create_task(say(client, 40))
        await page.wait_for_function("count => document.querySelectorAll('#log-rows tr').length > count + 20", arg=8)
        await frames
        after: dict[str, Any] = await page.evaluate(_STATE, row_id)
        assert after["focus"] == before["focus"] and after["selected"] == before["selected"] != ""
        assert after["open"] and after["mark"] == "same" and after["scroll"] == before["scroll"]


async def test_a_form_that_is_being_filled_in_and_the_order_of_the_log_survive_what_comes(served: Served) -> None:
    async with connected(served.mcp, name="filling") as (client, _), signed_in(served) as window:
        page = window.page
        await say(client, 3)
        await open_session(window, "filling", "/events?kind=request")
        await window.until_live()
        shown = await numbers(page)
        await page.get_by_role("link", name="Replay…").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("One event, number").check()
        await dialog.locator(".num").first.fill("2")
        for _ in range(3):
            await say(client, 1)
            newest_request = await newest(served, "filling") - 1
            await until_shown(page, newest_request)
            await expect(dialog.get_by_label("One event, number")).to_be_checked()
        await expect(dialog.locator(".num").first).to_have_value("2")
        await expect(dialog.locator(".num").first).to_be_focused()
        assert (await numbers(page))[3:] == shown
        assert await page.locator("#log-rows tr").evaluate_all(
            "rows => rows.every(row => row.innerText.includes('request'))"
        )


_STATE = """id => ({
    focus: document.activeElement.closest('tr')?.id,
    selected: String(getSelection()),
    open: document.querySelector('#timeline details').open,
    mark: document.getElementById('timeline').dataset.mark,
    scroll: scrollY,
})"""


async def test_reading_further_down_holds_the_log_still_and_resume_brings_everything(served: Served) -> None:
    async with connected(served.mcp, name="reader") as (client, _), signed_in(served) as window:
        page = window.page
        await say(client, 40)
        await open_session(window, "reader", "/events")
        await window.until_live()
        await page.locator("#log-rows tr").nth(60).scroll_into_view_if_needed()
        await page.evaluate("scrollBy(0, 400)")
        shown = await numbers(page)
        place = "() => { const row = document.querySelectorAll('#log-rows tr')[60]; return [scrollY, row.id]; }"
        before = await page.evaluate(place)
        await say(client, 4)
        held = page.locator("#held")
        await expect(held).to_contain_text("new events, Resume", timeout=5_000)
        last = await newest(served, "reader")
        await expect(held).to_contain_text(f"{last - shown[0]} new events", timeout=5_000)
        assert await page.evaluate(place) == before
        await held.click()
        await until_shown(page, last)
        await expect(held).to_be_hidden()
        assert await numbers(page) == list(range(last, max(0, last - 100), -1))


async def test_a_log_that_is_held_only_counts_what_matches(served: Served) -> None:
    async with connected(served.mcp, name="held") as (client, _), signed_in(served) as window:
        page = window.page
        await say(client, 2)
        await open_session(window, "held", "?range=5&kind=request")
        await window.until_live()
        await page.get_by_role("button", name="Pause the log").click()
        shown, rows = await page.locator("#log-rows").inner_text(), await page.locator("#log-rows tr").count()
        counted = page.locator(".tabs a").nth(1)
        before = await counted.inner_text()
        await say(client, 3)
        await expect(counted).not_to_have_text(before, timeout=8_000)  # the page as a whole goes on
        await expect(page.locator("#held")).to_have_text("3 new events, Resume", timeout=8_000)
        assert await page.locator("#log-rows").inner_text() == shown
        await page.locator("#held").click()
        await expect(page.locator("#held")).to_be_hidden()
        await until_shown(page, await newest(served, "held") - 1)  # the last request; its answer is of another kind
        await expect(page.locator("#log-rows tr")).to_have_count(rows + 3)


async def test_a_log_keeps_a_hundred_rows_and_the_way_to_older_ones_moves_on(served: Served) -> None:
    async with connected(served.mcp, name="chatty") as (client, _), signed_in(served) as window:
        page = window.page
        await open_session(window, "chatty", "/events")
        await window.until_live()
        for _ in range(6):
            await say(client, 10)
            await until_shown(page, await newest(served, "chatty"))
        shown = await numbers(page)
        assert len(shown) == 100
        await page.get_by_role("link", name="Older events").click()
        await page.wait_for_url("**before=*")
        assert (await numbers(page))[0] == shown[-1] - 1


async def test_pausing_stops_everything_and_resuming_loses_nothing(served: Served) -> None:
    async with connected(served.mcp, name="paused") as (client, _), signed_in(served) as window:
        page = window.page
        await open_session(window, "paused", "/events")
        await window.until_live()
        await page.keyboard.press("Space")
        await expect(page.locator("#live-word")).to_contain_text("Paused")
        await say(client, 2)
        shown = await numbers(page)
        last = await newest(served, "paused")
        await expect(page.locator("#held")).to_contain_text(f"{last - shown[0]} new events", timeout=5_000)
        await page.keyboard.press("Space")
        await window.until_live()
        await until_shown(page, last)
        assert await numbers(page) == list(range(last, 0, -1))


async def test_an_expired_session_stays_readable_and_loses_its_verbs(served: Served) -> None:
    async with connected(served.mcp, name="gone"), signed_in(served) as window:
        page = window.page
        path = await open_session(window, "gone")
        await window.until_live()
        async with served.api() as api:
            await api.post(f"/sessions/{path.rpartition('/')[2]}/expiration", json={"reason": "over"})
        await expect(page.locator("#status")).to_contain_text("Expired", timeout=6_000)
        await expect(page.locator(".end-note")).to_contain_text("over")
        await expect(page.get_by_role("link", name="Expire…")).to_have_count(0)
        assert await page.locator("#log-rows tr").count() > 0
