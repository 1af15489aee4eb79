"""The list while it changes: rows stay where they are, nothing a person does is disturbed, one stream a page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.browsing import LiveStreams, set_hidden, signed_in
from tests.support.crowd import crowd
from tests.support.processes import Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("lists")
    with serving(folder, limits="off") as running:
        yield running


async def order(page: Page) -> list[str]:
    ids: list[str] = await page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.id)")
    return ids


async def test_one_stream_is_open_after_filters_back_and_forward_and_none_while_hidden(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("streams-client", 2)
        page, streams = window.page, LiveStreams(window.page)
        await window.open("/admin/sessions")
        await window.until_live()
        for words in ("zed", "streams", "client:x", "state:live", "streams-client"):
            await page.locator("#add").fill(words)
            await page.wait_for_url(re.compile(r"add=" + words.replace(":", "(:|%3A)")))
        await page.go_back()
        await page.go_forward()
        await window.until_live()
        await streams.until(1)
        before = await page.locator("tbody tr").first.inner_text()
        await people.call(1)
        await expect(page.locator("tbody tr").first).not_to_have_text(before)  # a frame, which has an id
        await set_hidden(page, True)
        await streams.until(0)
        await set_hidden(page, False)
        await streams.until(1)
        assert streams.resumed_from[-1]
        assert window.complaints == []


async def test_a_tab_that_is_hidden_while_it_connects_has_no_stream_either(served: Served) -> None:
    async with signed_in(served) as window:
        page, streams, is_hidden = window.page, LiveStreams(window.page), asyncio.Event()

        async def hold(route: Route) -> None:
            await is_hidden.wait()
            await route.continue_()

        await page.route("**/live?**", hold)
        await window.open("/admin/sessions")
        await streams.until(1)
        await set_hidden(page, True)
        is_hidden.set()
        await streams.until(0)
        await set_hidden(page, False)
        await streams.until(1)
        assert window.complaints == []


async def test_updates_disturb_nothing_that_a_person_does(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("calm-client", 30)
        page = window.page
        await window.open("/admin/sessions?q=client:calm-client&sort=client&size=25")
        await window.until_live()
        rows = await order(page)
        row = page.locator("tbody tr").nth(12)
        await page.locator("tbody tr").nth(2).locator(".pick").check()
        await page.locator("#columns summary").click()
        await row.scroll_into_view_if_needed()
        await row.locator(".more").focus()
        await page.evaluate(
            "row => getSelection().selectAllChildren(row)", await row.locator(".c3 span").element_handle()
        )
        before = await page.evaluate("[scrollY, getSelection().toString(), document.activeElement.dataset.menu]")
        requests = row.locator("td.n").first
        for turn in range(3):
            for index in range(30):
                await people.call(index)
            await expect(requests).to_have_text(str(turn + 2), timeout=6_000)
        after = await page.evaluate("[scrollY, getSelection().toString(), document.activeElement.dataset.menu]")
        assert after == before and "calm-client" in before[1]
        assert await order(page) == rows
        await expect(page.locator("tbody tr").nth(2).locator(".pick")).to_be_checked()
        assert await page.locator("#columns").get_attribute("open") is not None
        assert window.complaints == []


async def test_a_new_session_only_counts_and_an_ended_one_stays_dimmed(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("pill-client", 3)
        page = window.page
        await window.open("/admin/sessions?q=client:pill-client")
        await window.until_live()
        rows = await order(page)
        await people.join("pill-client", 2)
        await expect(page.locator("#pending")).to_contain_text("2 new sessions match", timeout=8_000)
        assert await order(page) == rows
        async with served.api() as api:
            session_id = rows[1].removeprefix("s-")
            await api.post(f"/sessions/{session_id}/expiration", json={"reason": "seen to end"})
        await expect(page.locator(f"#{rows[1]}")).to_have_class("ended", timeout=5_000)
        assert await order(page) == rows
        await page.keyboard.press("r")
        await expect(page.locator("tbody tr")).to_have_count(5)
        assert window.complaints == []


async def test_the_servers_log_follows_waits_while_paused_and_goes_on(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("log-client")
        page = window.page
        await window.open("/admin/events?q=client:log-client")
        await window.until_live()
        first = page.locator("#log-rows tr").first
        await people.call(0, text="followed")
        await expect(first).to_contain_text("tools/call", timeout=5_000)
        count = await page.locator("#log-rows tr").count()
        await page.keyboard.press(" ")
        await people.call(0, text="while paused")
        await expect(page.locator("#held")).to_contain_text("new events, Resume", timeout=5_000)
        assert await page.locator("#log-rows tr").count() == count
        await page.locator("#held").click()
        await expect(page.locator("#log-rows tr")).to_have_count(count + 2, timeout=5_000)
        await page.locator("#log-rows .at a").first.click()
        await page.wait_for_url(re.compile(r"/events\?sel=\d+"))
        await expect(page.locator("#inspector")).to_be_visible()
        assert await window.violations() == [] and window.complaints == []
