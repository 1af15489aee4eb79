"""Takes a picture of every page and dialog: light, dark, and as narrow as a telephone.

Run as `make screenshots FOLDER=somewhere`. A server is started for it, with real clients of both eras.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page

from tests.support.processes import serving
from tests.support.tour import admin_window, settings, toured

LOOKS = {"light": (1440, 900), "dark": (1440, 900), "narrow": (390, 844)}


async def take(folder: Path, only: set[str]) -> None:
    """Write `PAGE-LOOK.png` of everything, or only of the pages named."""
    with (
        tempfile.TemporaryDirectory(prefix="switchroom-pictures-") as work,
        serving(Path(work), "--demo", "6", **settings()) as served,
    ):
        async with admin_window(served.base) as context, toured(served, context) as tour:
            page = await context.new_page()
            for look, (width, height) in LOOKS.items():
                await page.set_viewport_size({"width": width, "height": height})
                await page.emulate_media(color_scheme="dark" if look == "dark" else "light")
                for name, path in [*tour.pages.items(), *tour.dialogs.items()]:
                    if only and name not in only:
                        continue
                    await show(page, f"{served.base}/admin", tour.dialogs.get(name, ""), path)
                    await page.screenshot(path=folder / f"{name}-{look}.png")


async def show(page: Page, console: str, dialog: str, path: str) -> None:
    """Open a page, or a dialog over the list of sessions."""
    if not dialog:
        await page.goto(f"{console}{path}")
    else:
        await page.goto(f"{console}/sessions")
        await page.evaluate("url => switchroom.openDialog(url)", f"/admin{dialog}")
        await page.locator("dialog[open] h2").first.wait_for()
    await page.evaluate("document.fonts.ready")


def main() -> None:
    """Take the pictures; the arguments are a folder, and the pages if not all of them are wanted."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(folder, set(sys.argv[2:])))


if __name__ == "__main__":
    main()
