"""A session's page while it is live: one stream, nothing lost, and the truth about the connection."""

from __future__ import annotations

import asyncio
import re
import signal

import pytest
from playwright.async_api import Route, expect

from tests.support.browsing import LiveStreams, set_hidden, signed_in
from tests.support.clients import connected
from tests.support.detail import newest, numbers, open_session, say, until_shown
from tests.support.processes import Served
from tests.support.proxy import cutting_proxy

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


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
