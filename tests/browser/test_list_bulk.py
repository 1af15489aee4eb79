"""Choosing sessions and acting on them: kept over pages, stated before, confirmed by typing, recorded after."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.support.browsing import signed_in
from tests.support.crowd import crowd
from tests.support.processes import Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("lists")
    with serving(folder, limits="off") as running:
        yield running


async def test_all_matching_over_three_pages_less_exceptions_are_expired(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("bulk-client", 60)
        await people.join("other-client", 2)
        page = window.page
        await window.open("/admin/sessions?q=client:bulk-client&size=25")
        await window.until_live()
        await page.locator(".pick").first.check()
        await page.locator("#bulk-all").click()
        await expect(page.locator("#bulk-count")).to_have_text("All 60 matching selected")
        await page.locator(".pick").nth(3).uncheck()
        await page.get_by_role("link", name="Next").click()
        await page.wait_for_url(re.compile("after="))
        await page.locator(".pick").nth(5).uncheck()
        await expect(page.locator("#bulk-count")).to_have_text("58 selected")
        await page.locator("#bulk-expire").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("This cannot be undone")
        await expect(dialog).to_contain_text("client:bulk-client")
        assert await dialog.locator(".number b").all_inner_texts() == ["58", "0", "0"]
        await expect(dialog.get_by_label("Reason", exact=True)).to_be_focused()
        button = dialog.get_by_role("button", name="Expire 58 sessions")
        await expect(button).to_be_disabled()
        await dialog.get_by_label("Reason", exact=True).fill("INC-2291")
        await dialog.locator("#confirm").fill("expire 5")
        await page.keyboard.press("Enter")
        await expect(button).to_be_disabled()
        async with served.api() as api:
            found = await api.get("/sessions", params={"q": "client:bulk-client state:live"})
            assert found.json()["total"] == 60
            await dialog.locator("#confirm").fill("expire 58")
            await page.keyboard.press("Enter")
            await expect(page.locator(".toast")).to_contain_text("Expired 58 sessions", timeout=10_000)
            found = await api.get("/sessions", params={"q": "client:bulk-client,other-client state:live"})
            assert found.json()["total"] == 4
            (entry,) = (await api.get("/audit", params={"q": "INC-2291"})).json()["items"]
            assert entry["target"].startswith("client:bulk-client except ")
            results = (await api.get(f"/audit/{entry['action_id']}/results")).json()
            assert results["counts"] == {"expired": 58}
        await expect(page.locator("#bulk")).to_be_hidden()
        assert window.complaints == []


async def test_an_empty_reason_is_asked_for_and_focus_comes_back_to_the_row(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("reason-client", 2)
        page = window.page
        await window.open("/admin/sessions?q=client:reason-client")
        await window.until_live()
        opener = page.locator(".more").first
        await opener.click()
        await page.locator("#menu").get_by_role("link", name="Expire…").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Expire session").click()
        await expect(dialog).to_contain_text("Give a reason")
        await expect(dialog.get_by_label("Reason", exact=True)).to_be_focused()
        await people.call(0)
        await people.call(1)
        await expect(page.locator("tbody tr td.n").first).to_have_text("2", timeout=5_000)
        await page.keyboard.press("Escape")
        await expect(opener).to_be_focused()


async def test_only_what_applies_is_offered_and_another_filter_clears_the_choice(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("offer-client", 3)
        page = window.page
        await window.open("/admin/sessions?q=client:offer-client")
        await window.until_live()
        rows = page.locator("tbody tr")
        ended = await rows.nth(1).get_attribute("id") or ""
        await rows.nth(0).locator(".pick").check()
        await expect(page.locator("#bulk-expire")).to_have_text("Expire 1…")
        await expect(page.locator("#bulk-cancel")).to_be_hidden()
        async with served.api() as api:
            await api.post(f"/sessions/{ended.removeprefix('s-')}/expiration", json={"reason": "over"})
        await expect(rows.nth(1)).to_have_class("ended", timeout=5_000)
        await rows.nth(1).locator(".pick").check()
        await expect(page.locator("#bulk-expire")).to_be_hidden()
        await expect(page.locator("#bulk-why")).to_have_text("1 has ended")
        async with page.expect_download() as download:
            await page.locator("#bulk-export").click()
        assert (await download.value).suggested_filename == "switchroom-sessions.csv"
        await page.locator("#add").fill("state:live")
        await expect(page.locator(".toast")).to_contain_text("The filter changed, so the selection was cleared")
        await expect(page.locator("#bulk")).to_be_hidden()


async def test_a_large_action_leads_to_its_page_and_can_be_stopped_there(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("job-client", 30)
        page = window.page
        await window.open("/admin/sessions?q=client:job-client")
        await page.get_by_role("link", name="Expire by filter…").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Reason", exact=True).fill("moving slowly")
        await dialog.get_by_label("Sessions per second").fill("2")
        await dialog.locator("#confirm").fill("expire 30")
        await dialog.get_by_role("button", name="Expire 30 sessions").click()
        await page.wait_for_url("**/admin/jobs/*")
        await expect(page.locator("#progress-panel")).to_contain_text("of 30 reached")
        await window.until_live()
        await page.reload()
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("#progress-panel .pill")).to_have_text("Stopped", timeout=8_000)
        await page.get_by_role("link", name="Audit entry").click()
        await expect(page.locator(".page-head .pill")).to_have_text("Partly")
        assert await window.violations() == []
