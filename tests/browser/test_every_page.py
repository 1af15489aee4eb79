"""Every page and dialog, in light and in dark: judged by axe-core, and held to what the console promises of each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from tests.support.browsing import LiveStreams, Window
from tests.support.clients import connected
from tests.support.packages import npm_packages
from tests.support.processes import Served, serving
from tests.support.tour import LISTS, Tour, admin_window, session_pages, settings, toured

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

TARGETS: dict[str, Any] = {"type": "rule", "values": ["target-size"]}
"""At least 24 px, or as much room around it (WCAG 2.2, 2.5.8)."""

ZOOMED = (390, 720)
"""A telephone, and a window of 1440 px at 200 % zoom."""
WIDTHS = (*ZOOMED, 1024, 1440)
TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll('.scroll')]
  .map((box) => [box.className || 'the page', box.scrollWidth - box.clientWidth])
  .filter(([, excess]) => excess > 1).map(([name, excess]) => `${name} scrolls sideways by ${excess} px`)"""
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


async def fitted(page: Page) -> list[str]:
    """Return what scrolls sideways at any width, the page or a table, and which targets are too small to hit."""
    found: list[str] = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        found += [f"{width} px: {complaint}" for complaint in await page.evaluate(TOO_WIDE)]
        small: list[str] = await page.evaluate(JUDGE, TARGETS) if width in ZOOMED else []
        found += [f"{width} px: {complaint}" for complaint in small]
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
        found = await judged(window.page, script) + await fitted(window.page) + await window.violations()
        wrong.update({name: found} if found else {})
    return wrong


async def see_dialogs(window: Window, tour: Tour, script: str) -> dict[str, list[str]]:
    """Open each dialog over the list of sessions; return what is wrong with which."""
    wrong = dict[str, list[str]]()
    for name, path in tour.dialogs.items():
        await window.open("/admin/sessions")
        await window.page.evaluate("url => switchroom.openDialog(url)", f"/admin{path}")
        await window.page.locator("dialog[open] h2").first.wait_for()
        found = await judged(window.page, script) + await fitted(window.page) + await window.violations()
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
    """Visit pages whose streams cannot be opened; return what is wrong with which of them once they say so."""
    wrong = dict[str, list[str]]()
    await window.page.clock.install()
    await window.page.route("**/live?*", lambda route: route.abort())
    for name, path in pages.items():
        await window.open(path)
        if not await window.page.locator(".live-link").count():
            continue
        await window.page.locator("html[data-connection=offline]").wait_for()
        await window.page.clock.fast_forward(5_000)  # a short break is not worth the banner
        await window.page.locator("#banner").wait_for()
        found = await judged(window.page, script) + await fitted(window.page)
        wrong.update({f"{name}, disconnected": found} if found else {})
    await window.page.unroute("**/live?*")
    return wrong


def below(pages: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses with the console's own before them."""
    return {name: f"/admin{path}" for name, path in pages.items()}


@asynccontextmanager
async def watched(served: Served, context: BrowserContext) -> AsyncGenerator[Window]:
    """Open a window, and fail in the end if it asked anything of another origin or complained on its console."""
    window = Window(context, await context.new_page(), served.base)
    yield window
    assert window.foreign == []
    # An unknown page and a form that is not filled in are asked for.
    assert [text for text in window.complaints if "404" not in text and "422" not in text] == []


async def test_every_page_is_accessible_keeps_to_its_origin_and_fits_every_width(tmp_path: Path) -> None:
    with serving(tmp_path, **settings()) as served:
        async with admin_window(served.base) as context, toured(served, context) as tour:
            async with watched(served, context) as window:
                assert await see_pages(window, below(tour.pages), axe()) == {}
                await context.clear_cookies()
                assert await see_pages(window, {"sign-in": "/admin/login"}, axe()) == {}


async def test_every_dialog_and_menu_is_so(tmp_path: Path) -> None:
    with serving(tmp_path, **settings()) as served:
        async with admin_window(served.base) as context, toured(served, context) as tour:
            async with watched(served, context) as window:
                assert {f"{part}-closing" for part in ("streams", "resources")} | set(UNFILLED) <= set(tour.dialogs)
                assert await see_dialogs(window, tour, axe()) == {}
                assert await see_menus(window, axe()) == {}


async def test_every_page_is_so_while_it_is_disconnected(tmp_path: Path) -> None:
    with serving(tmp_path, **settings()) as served:
        async with admin_window(served.base) as context, toured(served, context) as tour:
            window = Window(context, await context.new_page(), served.base)
            assert await see_disconnected(window, below(tour.pages), axe()) == {}
            assert window.foreign == []


async def test_every_page_is_so_with_nothing_to_show(tmp_path: Path) -> None:
    with serving(tmp_path, **settings()) as served:
        async with admin_window(served.base) as context, watched(served, context) as window:
            assert await see_pages(window, below(LISTS), axe()) == {}
            async with connected(served.mcp, name="silent"), served.api("admin") as api:
                session = (await api.get("/sessions")).json()["items"][0]["id"]
                assert await see_pages(window, below(session_pages(session)), axe()) == {}
