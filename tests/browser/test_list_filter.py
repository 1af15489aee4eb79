"""Filtering by hand: the address holds everything, mistakes are said, words are completed, no script is needed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Route, expect

from tests.support.browsing import signed_in
from tests.support.crowd import crowd
from tests.support.processes import Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("lists")
    with serving(folder, limits="off") as running:
        yield running


async def test_the_address_reproduces_the_list_and_back_and_forward_agree(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("first-client", 2)
        await people.join("second-client")
        page = window.page
        await window.open("/admin/sessions?sort=client&size=25&cols=client,errors&density=compact")
        await page.locator("#add").fill("client:first-client")
        await page.keyboard.press("Enter")
        await expect(page.locator(".chip")).to_have_text("client:first-client")
        await page.locator(".facet", has_text="Active").click()
        await expect(page.locator(".chip")).to_have_count(2)
        shown = await page.locator("tbody tr").count()
        assert shown == 2 and all(part in page.url for part in ("sort=client", "size=25", "cols=", "density=compact"))
        await page.reload()
        await expect(page.locator("tbody tr")).to_have_count(2)
        await expect(page.locator(".facet[aria-current]")).to_contain_text("Active")
        await page.go_back()
        await expect(page.locator(".chip")).to_have_count(1)
        await expect(page.locator(".facet[aria-current]")).to_contain_text("All states")
        await page.go_forward()
        await expect(page.locator(".chip")).to_have_count(2)
        await expect(page.locator(".facet[aria-current]")).to_contain_text("Active")
        assert window.complaints == []


async def test_an_unknown_key_is_said_below_the_field_and_the_list_stays(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("kept-client", 2)
        page = window.page
        await window.open("/admin/sessions?q=client:kept-client")
        await page.locator("#add").fill("erors:>0")
        await expect(page.locator("#filter-error")).to_contain_text('did you mean "errors"')
        await expect(page.locator("tbody tr")).to_have_count(2)
        assert "erors" not in page.url
        await page.locator("#add").fill("errors:0")
        await expect(page.locator("#filter-error")).to_be_hidden()
        await expect(page.locator("tbody tr")).to_have_count(2)


async def test_fast_typing_on_a_slow_server_ends_with_what_was_typed(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("abcd", 1)
        await people.join("abxx", 1)
        page = window.page
        await window.open("/admin/sessions")

        async def slowly(route: Route) -> None:
            await asyncio.sleep(0.8)
            await route.continue_()

        await page.route(re.compile(r"/admin/sessions\?.*add="), slowly)
        await page.locator("#add").press_sequentially("abcd", delay=130)
        await expect(page.locator("tbody tr")).to_have_count(1, timeout=6_000)
        await expect(page.locator("tbody tr")).to_contain_text("abcd")
        await expect(page).to_have_url(re.compile("add=abcd"))


async def test_words_are_completed_by_keyboard(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("suggested-client", 2)
        page, field = window.page, window.page.get_by_role("combobox", name="Add a filter")
        await window.open("/admin/sessions")
        await page.keyboard.press("f")
        await page.keyboard.type("cli")
        options = page.get_by_role("option")
        await expect(options.first).to_contain_text("client:")
        await page.keyboard.press("ArrowDown")
        await expect(field).to_have_attribute("aria-activedescendant", "offer-1")
        await page.keyboard.press("Tab")
        await page.keyboard.type("sugg")
        await expect(options).to_have_count(1)
        await expect(options.first).to_contain_text("suggested-client")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(page.locator(".chip")).to_have_text("client:suggested-client")
        await expect(page.locator("tbody tr")).to_have_count(2)
        await page.locator("#add").focus()
        await expect(options.first).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#suggestions")).to_be_hidden()
        assert window.complaints == []


async def test_lists_work_without_javascript(served: Served) -> None:
    async with (
        crowd(served.mcp) as people,
        signed_in(served, java_script_enabled=False) as window,
    ):
        await people.join("plain-client", 2)
        page = window.page
        await window.open("/admin/sessions")
        await page.locator("#add").fill("client:plain-client")
        await page.locator("#add").press("Enter")
        await expect(page.locator("tbody tr")).to_have_count(2)
        await page.locator("#columns summary").click()
        await page.locator("#columns").get_by_label("Protocol").uncheck()
        await page.locator("#columns").get_by_role("button", name="Apply").click()
        await expect(page.locator("th", has_text="Protocol")).to_have_count(0)
        await page.locator("#views summary").click()
        await page.locator("#view-title").fill("Plain clients")
        await page.get_by_role("button", name="Save view").click()
        await expect(page.locator("tbody tr")).to_have_count(2)
        for box in await page.locator(".pick").all():
            await box.check()
        await page.locator("#bulk-expire").click()
        await page.get_by_label("Reason").fill("no script needed")
        await page.get_by_role("button", name="Expire 2 sessions").click()
        await expect(page.locator(".flash")).to_contain_text("Expired 2 sessions")
        await window.open("/admin/audit?q=reason:script")
        await page.locator(".deed-link").first.click()
        await expect(page.locator("#verdicts tbody tr")).to_have_count(2)
        await window.open("/admin/events?errors=1")
        await expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()
