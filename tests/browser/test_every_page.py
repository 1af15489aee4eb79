"""Every page and dialog, in light and in dark: judged by axe-core, and held to what the console promises of each."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.support.browsing import LiveStreams, Window
from tests.support.packages import npm_packages
from tests.support.processes import serving
from tests.support.tour import Tour, admin_window, settings, toured

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

JUDGE = """async (runOnly) => {
  const { violations } = await axe.run(document, { runOnly });
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, any }) =>
    `${id}: ${target} ${any[0]?.message ?? help}`));
}"""
RULES: dict[Any, Any] = {
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
"""What is judged in which colour scheme: the schemes are colours alone, so only those are judged again in the other."""

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNFILLED = ("expire", "message", "block", "add-key", "cancel", "streams-closing", "blocks-lifting", "operators-ending")
"""Dialogs that are sent as they open, which each refuses in its own way."""


def axe() -> str:
    """Return axe-core's source; it is run beside the page, where the content security policy does not bind it."""
    return (npm_packages(Path(__file__).parent / "axe") / "node_modules/axe-core/axe.min.js").read_text("utf-8")


async def judged(page: Page, script: str) -> list[str]:
    """Return what axe-core holds against the page in both colour schemes."""
    await page.evaluate(script)
    found: list[str] = []
    for scheme, rules in RULES.items():
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}, {complaint}" for complaint in await page.evaluate(JUDGE, rules)]
    return found


async def sideways(page: Page) -> list[str]:
    """Return how far the page scrolls sideways on a telephone and at 200 % zoom, if it does."""
    found: list[str] = []
    for width in (390, 720):
        await page.set_viewport_size({"width": width, "height": 844})
        too_wide = await page.evaluate(SIDEWAYS)
        found += [f"{too_wide} px too wide at {width} px"] if too_wide > 0 else []
    await page.set_viewport_size({"width": 1440, "height": 900})
    return found


async def see_pages(window: Window, pages: dict[str, str], script: str) -> dict[str, list[str]]:
    """Visit each page; return what is wrong with which."""
    streams, wrong = LiveStreams(window.page), dict[str, list[str]]()
    for name, path in pages.items():
        await window.open(path)
        if await window.page.locator("#live-state").count():
            await window.until_live()
            await streams.until(1)
        else:
            await streams.until(0)
        found = await judged(window.page, script) + await sideways(window.page) + await window.violations()
        wrong.update({name: found} if found else {})
    return wrong


async def see_dialogs(window: Window, tour: Tour, script: str) -> dict[str, list[str]]:
    """Open each dialog over the list of sessions; return what is wrong with which."""
    wrong = dict[str, list[str]]()
    for name, path in tour.dialogs.items():
        await window.open("/admin/sessions")
        await window.page.evaluate("url => switchroom.openDialog(url)", f"/admin{path}")
        await window.page.locator("dialog[open] h2").first.wait_for()
        found = await judged(window.page, script) + await sideways(window.page) + await window.violations()
        wrong.update({name: found} if found else {})
        if name in UNFILLED:
            await window.page.locator("dialog[open] form").evaluate("form => form.requestSubmit()")
            await window.page.locator("dialog[open] [role=alert]").first.wait_for()
            found = await judged(window.page, script)
            wrong.update({f"{name}, refused": found} if found else {})
    return wrong


async def open_menus(page: Page) -> AsyncGenerator[str]:
    """Open what opens on the list of sessions, one after the other, and yield the name of what is open."""
    await page.locator("#add").focus()
    await page.get_by_role("option").first.wait_for()
    yield "completion"
    await page.keyboard.press("Escape")
    for name in ("columns", "views"):
        await page.locator(f"#{name} summary").click()
        await page.locator(f"#{name} .drop-box").wait_for()
        yield name
        await page.keyboard.press("Escape")
    await page.locator("tbody .more").first.click()
    await page.locator("#menu a").first.wait_for()
    yield "menu of a row"
    await page.keyboard.press("Escape")
    await page.locator(".pick").first.check()
    await page.locator("#bulk").wait_for()
    yield "selection"


async def see_menus(window: Window, script: str) -> dict[str, list[str]]:
    """Open each menu of the list; return what is wrong with which."""
    await window.open("/admin/sessions")
    await window.until_live()
    return {name: found async for name in open_menus(window.page) if (found := await judged(window.page, script))}


async def see_disconnected(window: Window, pages: dict[str, str], script: str) -> dict[str, list[str]]:
    """Visit pages that cannot have their stream; return what is wrong with which."""
    wrong = dict[str, list[str]]()
    await window.page.route("**/live?*", lambda route: route.abort())
    for name, path in pages.items():
        await window.open(path)
        await window.page.locator("#banner").wait_for(timeout=15_000)
        found = await judged(window.page, script) + await sideways(window.page)
        wrong.update({f"{name}, disconnected": found} if found else {})
    await window.page.unroute("**/live?*")
    return wrong


async def test_every_page_and_dialog_is_accessible_keeps_to_its_origin_and_fits_a_telephone(tmp_path: Path) -> None:
    script = axe()
    with serving(tmp_path, **settings()) as served:
        async with admin_window(served.base) as context, toured(served, context) as tour:
            window = Window(context, await context.new_page(), served.base)
            wrong = await see_pages(window, {name: f"/admin{path}" for name, path in tour.pages.items()}, script)
            wrong |= await see_dialogs(window, tour, script)
            assert {f"{part}-closing" for part in ("streams", "resources")} | set(UNFILLED) <= set(tour.dialogs)
            wrong |= await see_menus(window, script)
            live = {name: f"/admin{tour.pages[name]}" for name in ("overview", "sessions", "event")}
            spoken, window.complaints = window.complaints, []
            wrong |= await see_disconnected(window, live, script)
            window.complaints = spoken
            await context.clear_cookies()
            wrong |= await see_pages(window, {"sign-in": "/admin/login"}, script)
    assert wrong == {}
    assert window.foreign == []
    assert [text for text in window.complaints if "404" not in text and "422" not in text] == []
