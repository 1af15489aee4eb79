"""A session's page while events come: what somebody reads, chooses or fills in there stays as it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from tests.support.browsing import signed_in
from tests.support.clients import connected
from tests.support.detail import newest, numbers, open_session, say, until_shown
from tests.support.processes import Served

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

_STATE = """id => ({
    focus: document.activeElement.closest('tr')?.id,
    selected: String(getSelection()),
    open: document.querySelector('#timeline details').open,
    mark: document.getElementById('timeline').dataset.mark,
    scroll: scrollY,
})"""


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
