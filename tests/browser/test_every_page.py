"""Every page and dialog, in light and in dark: judged by axe-core, and held to what the console promises of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.support.browsing import LiveStreams, Window
from tests.support.packages import npm_packages
from tests.support.processes import serving
from tests.support.tour import Tour, admin_window, settings, toured

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

JUDGE = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, any }) =>
    `${id}: ${target} ${any[0]?.message ?? help}`));
}"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SCHEMES: tuple[Any, ...] = ("light", "dark")


def axe() -> str:
    """Return axe-core's source; it is run beside the page, where the content security policy does not bind it."""
    return (npm_packages(Path(__file__).parent / "axe") / "node_modules/axe-core/axe.min.js").read_text("utf-8")


async def judged(page: Page, script: str) -> list[str]:
    """Return what axe-core holds against the page in both colour schemes."""
    await page.evaluate(script)
    found: list[str] = []
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}, {complaint}" for complaint in await page.evaluate(JUDGE)]
    return found


async def sideways(page: Page) -> list[str]:
    """Return how far the page scrolls sideways where it is 390 px wide, if it does."""
    await page.set_viewport_size({"width": 390, "height": 844})
    too_wide = await page.evaluate(SIDEWAYS)
    await page.set_viewport_size({"width": 1440, "height": 900})
    return [f"{too_wide} px too wide"] if too_wide > 0 else []


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
    return wrong


async def test_every_page_and_dialog_is_accessible_keeps_to_its_origin_and_fits_a_telephone(tmp_path: Path) -> None:
    script = axe()
    with serving(tmp_path, **settings()) as served:
        async with admin_window(served.base) as context, toured(served, context) as tour:
            window = Window(context, await context.new_page(), served.base)
            wrong = await see_pages(window, {name: f"/admin{path}" for name, path in tour.pages.items()}, script)
            wrong |= await see_dialogs(window, tour, script)
            await context.clear_cookies()
            wrong |= await see_pages(window, {"sign-in": "/admin/login"}, script)
    assert wrong == {}
    assert window.foreign == []
    assert [text for text in window.complaints if "404" not in text and "422" not in text] == []
