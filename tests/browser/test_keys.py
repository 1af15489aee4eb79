"""Stored keys in a real browser: dialogs, a change made meanwhile, and a secret that leaves no trace."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from switchroom.server.sealing import make_key
from tests.support.browsing import ARGUMENTS, WATCH
from tests.support.clients import connected, text_of
from tests.support.processes import Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

PASSWORD = "correct horse battery"
SECRET = "mk-shown-once-81c"


@asynccontextmanager
async def admin(served: Served, **options: Any) -> AsyncGenerator[Page]:
    """Open a window and sign in as admin, by password."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        context = await browser.new_context(viewport={"width": 1440, "height": 900}, **options)
        await context.add_init_script(WATCH)
        page = await context.new_page()
        await page.goto(f"{served.base}/admin/login")
        await page.locator("[name=operator]").fill("admin")
        await page.locator("[name=password]").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/admin/")
        yield page
        assert await page.evaluate("window.violations") == []
        await browser.close()


async def test_keys_are_changed_in_dialogs_and_a_secret_is_shown_once(tmp_path: Path) -> None:
    settings = {"secret_keys": make_key("k1"), "admin_password": PASSWORD}
    with serving(tmp_path, **settings) as served:
        async with connected(served.mcp) as (client, _), admin(served) as page:
            await client.call_tool("set_session_data", {"key": "colour", "value": "blue"})
            await client.call_tool("store_sensitive_data", {"key": "pin", "value": SECRET})
            await page.goto(f"{served.base}/admin/sessions")
            await page.locator("#rows a, tbody a").first.click()
            await page.locator("#tabs").get_by_text("Keys").click()

            await page.get_by_role("row", name="colour").get_by_text("View").click()
            await page.locator("#key-edit").click()
            text = page.locator("#key-value-text")
            await expect(text).to_be_focused()
            await client.call_tool("set_session_data", {"key": "colour", "value": "green"})
            await text.fill('"red"')
            await page.get_by_role("button", name="Store value").click()
            await expect(page.locator("#dlg")).to_contain_text("Somebody changed this key")
            await expect(page.locator("#dlg .json.value")).to_contain_text("green")
            await expect(text).to_have_value('"red"')
            await page.get_by_role("button", name="Store mine over it").click()
            await expect(page.locator("#key-value .json")).to_contain_text("red")
            assert text_of(await client.call_tool("get_session_data", {"key": "colour"})).startswith("colour = red")

            await page.locator("#key-ttl-open").click()
            await page.locator("#key-ttl").fill("2h")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("row", name="colour")).to_contain_text("1h 59m")
            await page.locator("#key-delete").click()
            await page.get_by_role("button", name="Delete key").click()
            await expect(page.get_by_role("row", name="colour")).to_have_count(0)

            await page.get_by_role("row", name="pin").get_by_text("View").click()
            await page.locator("#key-reveal").click()
            await page.locator("#reveal-password").fill(PASSWORD)
            await page.keyboard.press("Enter")
            await expect(page.locator("#dlg .json.value")).to_contain_text(SECRET)
            await page.get_by_role("button", name="Close").last.click()
            await expect(page.locator("#dlg")).to_be_hidden()
            await expect(page.locator("#dlg .json.value")).to_have_count(0)
            assert SECRET not in await page.content() and "revelation" not in page.url
            await page.go_back()
            await page.go_forward()
            assert SECRET not in await page.content()
