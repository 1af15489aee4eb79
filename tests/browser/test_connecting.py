"""When a page opens its stream, when it does not, and where a sign-in leads back to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.support.browsing import LiveStreams, Window, set_hidden
from tests.support.clients import connected
from tests.support.processes import Served, serving
from tests.support.tour import PASSWORD, admin_window, settings

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

COLD_LOADS = 50
AT_ONCE = 5


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("connecting"), **settings()) as running:
        yield running


async def slowly(route: Route) -> None:
    await asyncio.sleep(0.4)
    await route.continue_()


async def cold_loads(context: BrowserContext, base: str, is_late: bool) -> list[int]:
    """Open the list again and again with nothing cached; return how many streams each page ever asked for."""
    page = await context.new_page()
    session: Any = await context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    if is_late:
        await page.route("**/hx-sse.min.js", slowly)
    counts: list[int] = []
    for _ in range(COLD_LOADS // AT_ONCE):
        streams = LiveStreams(page)
        await page.goto(f"{base}/admin/sessions")
        await page.locator("html[data-connection=live]").wait_for(timeout=15_000)
        counts.append(len(streams.resumed_from))
    await page.close()
    return counts


async def test_fifty_cold_loads_open_one_stream_each_however_late_the_extension_comes(served: Served) -> None:
    async with admin_window(served.base) as context:
        loads = await asyncio.gather(*(cold_loads(context, served.base, lane % 2 == 1) for lane in range(AT_ONCE)))
    assert [count for counts in loads for count in counts] == [1] * COLD_LOADS


async def test_a_tab_that_is_opened_in_the_background_has_no_stream_until_it_is_shown(served: Served) -> None:
    async with admin_window(served.base) as context:
        page = await context.new_page()
        await page.clock.install()
        await page.add_init_script("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })")
        streams = LiveStreams(page)
        await page.goto(f"{served.base}/admin/sessions")
        await page.clock.run_for(9_000)  # the link tries to connect every four seconds
        assert streams.resumed_from == []
        await set_hidden(page, False)
        await streams.until(1)
        await expect(page.locator("html")).to_have_attribute("data-connection", "live")


async def test_a_sign_in_that_ended_leads_back_to_the_page_with_all_that_was_chosen(served: Served) -> None:
    async with connected(served.mcp, name="returned"), admin_window(served.base) as context:
        window = Window(context, await context.new_page(), served.base)
        page, streams = window.page, LiveStreams(window.page)
        await window.open("/admin/sessions?q=client:returned&sort=-errors&size=25")
        await window.until_live()
        await set_hidden(page, True)
        await streams.until(0)
        await context.clear_cookies()
        await set_hidden(page, False)
        await page.wait_for_url("**/admin/login?next=*")
        await page.locator("[name=operator]").fill("admin")
        await page.locator("[name=password]").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/admin/sessions?q=client:returned&sort=-errors&size=25")
        await expect(page.locator("tbody tr")).to_contain_text("returned")
        await window.until_live()


async def test_a_named_event_changes_nothing_on_the_page_by_itself(served: Served) -> None:
    named = 'id: x.1\nevent: wicked\ndata: <hx-partial hx-target="#main" hx-swap="innerHTML">gone</hx-partial>\n\n'
    async with admin_window(served.base) as context:
        page = await context.new_page()
        await page.add_init_script("addEventListener('wicked', (event) => { window.heard = event.detail.data; })")

        async def say(route: Route) -> None:
            await route.fulfill(content_type="text/event-stream", body=named)

        await page.route("**/live?*", say)
        await page.goto(f"{served.base}/admin/sessions")
        await page.wait_for_function("window.heard")
        await expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
        assert "gone" not in await page.inner_text("body")
