"""How soon an operator sees what a client did: in a real Chromium that shows the list of sessions."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.contestants import OURS, Server, serving
from bench.section import Section, Table, at_most
from bench.wire import Connection, Session

BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
WATCH = """
window.seen = [];
new MutationObserver(() => seen.push([Date.now() / 1000, document.querySelector('tbody').innerText]))
  .observe(document.body, {subtree: true, childList: true, characterData: true});
"""

METHOD = """\
Chromium shows the list of sessions, live. A client calls a tool at random moments; the clock runs from the answer (the
event is in the log then) until the row shows the new number of requests. The stream sends at most one frame a second,
so half a second on average is that pause."""


def measure(folder: Path, samples: int) -> Section:
    """Measure `samples` calls, one after the other."""
    with serving(OURS, folder) as server:
        delays = sorted(asyncio.run(_measure(server, samples)))
    p95 = delays[int(len(delays) * 0.95)]
    print(f"visible: median {median(delays):.2f} s, p95 {p95:.2f} s", file=sys.stderr)
    claims = [at_most("an event is visible in the browser, p95", p95, 1.3, "s")]
    table = Table("", ("", "s"), [("median", f"{median(delays):.2f}"), ("p95", f"{p95:.2f}")])
    return Section("visible", "From the event to the screen", claims, [table], METHOD, [f"{samples} calls"])


async def _measure(server: Server, samples: int) -> list[float]:
    from playwright.async_api import async_playwright  # a second to import, which no other measurement needs

    link = await _sign_in_link(server)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER)
        context = await browser.new_context(bypass_csp=True)  # for the watching, which is evaluated
        page = await context.new_page()
        await page.goto(link)
        await page.get_by_role("button").first.click()
        await page.wait_for_url("**/admin/**")
        session = await Session.open(await Connection.open(server.port))
        await page.goto(f"http://127.0.0.1:{server.port}/admin/sessions")
        await page.get_by_text("Live", exact=True).first.wait_for()
        await page.evaluate(WATCH)
        delays = [await _delay(page, session, number) for number in range(2, samples + 2)]
        await browser.close()
    return delays


async def _sign_in_link(server: Server) -> str:
    """Return the one-time link, which is printed a moment after the server listens."""
    while True:
        found = re.search(r"http://\S+token=\S+", (server.folder / "server.log").read_text())
        if found is not None:
            return found[0]
        await asyncio.sleep(0.05)


async def _delay(page: Any, session: Session, requests: int) -> float:
    """Return the seconds until the page shows `requests` requests; `initialize` was the first."""
    await asyncio.sleep(random.uniform(0, 1))
    await session.call("echo")
    answered = time.time()
    wanted = f"seen.find(([at, text]) => /\\t{requests}\\t/.test(text))"
    await page.wait_for_function(wanted, timeout=15_000, polling=50)
    at: float = (await page.evaluate(wanted))[0]
    return max(0.0, at - answered)
