"""A session's page in a browser: opening it, and what its log shows."""

from __future__ import annotations

from mcp import Client
from playwright.async_api import Page, expect

from tests.support.browsing import Window
from tests.support.processes import Served


async def open_session(window: Window, name: str, tab: str = "") -> str:
    """Open the page of that client's session and return its path."""
    await window.open(f"/admin/sessions?q=client:{name}")
    path = await window.page.locator("tbody tr a").first.get_attribute("href")
    assert path is not None
    await window.open(f"{path}{tab}")
    return path


async def numbers(page: Page) -> list[int]:
    """Return the events the log shows, from the top."""
    rows: list[str] = await page.locator("#log-rows tr").evaluate_all("rows => rows.map(row => row.id)")
    return [int(row[2:]) for row in rows]


async def say(client: Client, times: int, text: str = "hello") -> None:
    for number in range(times):
        await client.call_tool("echo", {"text": f"{text} {number}"})


async def until_shown(page: Page, seq: int) -> None:
    await expect(page.locator(f"#e-{seq}")).to_be_attached(timeout=8_000)


async def newest(served: Served, name: str) -> int:
    """Return the number of the newest event of that client's session."""
    async with served.api("viewer") as api:
        answer = await api.get("/sessions", params={"q": f"client:{name}"})
        return int(answer.json()["items"][0]["event_count"])
