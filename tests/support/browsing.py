"""A real Chromium, signed in to a running console."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import BrowserContext, Page, Request, async_playwright

from tests.support.processes import Served

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = (
    "window.violations = []; addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective));"
)


class Window:
    """A browser window and what went wrong in it."""

    def __init__(self, context: BrowserContext, page: Page, base: str) -> None:
        self.context = context
        self.page = page
        self.base = base
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: None if request.url.startswith(base) else self.foreign.append(request.url))

    async def open(self, path: str) -> None:
        """Go to a page of the console."""
        await self.page.goto(f"{self.base}{path}")

    async def until_live(self) -> None:
        """Wait until the page's stream is open."""
        await self.page.get_by_text("Live", exact=True).first.wait_for(timeout=10_000)

    async def violations(self) -> list[str]:
        """Return what the content security policy has stopped on this page."""
        found: list[str] = await self.page.evaluate("window.violations")
        return found


class LiveStreams:
    """Which live streams a window holds open, and what its requests for them said."""

    def __init__(self, page: Page) -> None:
        self.open: set[Request] = set()
        self.resumed_from: list[str | None] = []
        page.on("request", self._begin)
        page.on("requestfinished", lambda request: self.open.discard(request))
        page.on("requestfailed", lambda request: self.open.discard(request))

    def _begin(self, request: Request) -> None:
        if "/live?" in request.url:
            self.open.add(request)
            self.resumed_from.append(request.headers.get("last-event-id"))

    async def until(self, count: int, seconds: float = 20.0) -> None:
        """Wait until exactly so many are open."""
        async with asyncio.timeout(seconds):
            while len(self.open) != count:
                await asyncio.sleep(0.02)


async def set_hidden(page: Page, hidden: bool) -> None:
    """Say that the tab was hidden or shown, as the browser would."""
    await page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


@asynccontextmanager
async def signed_in(served: Served, *, base: str = "", **options: Any) -> AsyncGenerator[Window]:
    """Open a window and sign in with the link that the terminal printed; later windows have the same cookie.

    Args:
        base: Where the console is reached, if not directly.
    """
    kept = served.folder / "signed-in.json"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        state: dict[str, Any] = {"storage_state": kept} if kept.exists() else {}
        context = await browser.new_context(viewport={"width": 1440, "height": 900}, **state, **options)
        await context.add_init_script(WATCH)
        window = Window(context, await context.new_page(), base or served.base)
        if not state:
            await window.page.goto(served.sign_in_link)
            await window.page.get_by_role("button").first.click()
            await window.page.wait_for_url("**/admin/**")
            await context.storage_state(path=kept)
        yield window
        await browser.close()
