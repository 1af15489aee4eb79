"""docs/tours.md, done as it says: by mouse alone and by keyboard alone, against a server with the demo's clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Page, expect

from tests.support.browsing import signed_in
from tests.support.processes import Served, serving
from tests.support.script import Hand, Way, do, read_script
from tests.support.source import ROOT

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

WAYS = read_script(ROOT / "docs/tours.md")
BOT = "client:ticket-bot"

SIGHTS: Mapping[Hand, tuple[tuple[str, ...], ...]] = {
    "mouse": (
        (".sessions tbody tr", "th[aria-sort=descending] >> text=Errors"),
        ("#tabs", "#failures tbody tr", "#inspector h2"),
        (".sessions tbody tr", "#add:focus", "#add", ".chip", "#text:focus", ".preview >> text=Please", "#receipt"),
        ("#tabs", "dialog[open] [name=reason]:focus", "dialog[open]", ".end-note"),
        ("#trail tbody tr", ".deed"),
    ),
    "keyboard": (
        (".sessions tbody tr", "#add:focus", "#add", ".chip"),
        ("#tabs", "#failures tbody tr", "#inspector h2"),
        (".sessions tbody tr", "#add:focus", "#add", ".chip", "#text:focus", ".preview >> text=Please", "#receipt"),
        ("#tabs", "dialog[open] [name=reason]:focus", "dialog[open]", ".end-note"),
        ("#trail tbody tr", ".deed"),
    ),
}
"""What a person waits to see after each step of each task."""


async def items(api: httpx2.AsyncClient, path: str, **params: str) -> list[Any]:
    found: list[Any] = (await api.get(path, params=params)).raise_for_status().json()["items"]
    return found


async def until_it_fails(api: httpx2.AsyncClient) -> str:
    """Wait until the demo's client has had an error in a call, and return its session."""
    async with asyncio.timeout(60):
        while not (found := await items(api, "/sessions", q=f"{BOT} errors:>0")):
            await asyncio.sleep(0.1)
    return str(found[0]["id"])


async def saw_the_client(page: Page, api: httpx2.AsyncClient, session: str) -> None:
    row = page.locator(".sessions tbody tr").first
    await expect(row).to_have_id(f"s-{session}")
    await expect(row).to_contain_text("ticket-bot")
    await expect(row.locator("td.e")).to_contain_text("%")


async def saw_the_failing_call(page: Page, api: httpx2.AsyncClient, session: str) -> None:
    await expect(page.locator("#payload")).to_contain_text("The upstream service did not answer")
    await expect(page.locator("#inspector")).to_contain_text("tool error after")
    await expect(page.locator("#inspector")).to_contain_text("Answers request")
    shown = int((await page.locator("#inspector h2").inner_text()).split()[1])
    errors = await items(api, f"/sessions/{session}/events", errors="1", limit="1")
    assert shown <= errors[0]["seq"]


async def told_only_its_kind(page: Page, api: httpx2.AsyncClient, session: str) -> None:
    (sent,) = await items(api, "/broadcasts")
    await expect(page.locator("#receipt")).to_contain_text("Delivered")
    recipients = page.locator("#broadcast tbody tr")
    await expect(recipients).to_have_count(1)
    await expect(recipients).to_contain_text("ticket-bot")
    assert sent["text"] == "Please slow down until 18:00"


async def ended_it(page: Page, api: httpx2.AsyncClient, session: str) -> None:
    await expect(page.locator("#status")).to_contain_text("Expired")
    await expect(page.locator(".end-note")).to_contain_text("Floods the ticket queue")
    found = (await api.get(f"/sessions/{session}")).json()
    assert (found["state"], found["end_by"]) == ("expired", "admin"), found


async def proved_who(page: Page, api: httpx2.AsyncClient, session: str) -> None:
    deed = page.locator(".deed")
    for words in ("admin", "127.0.0.1", "Floods the ticket queue", session):
        await expect(deed).to_contain_text(words)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("xpire")


OUTCOMES: tuple[Callable[[Page, httpx2.AsyncClient, str], Awaitable[None]], ...] = (
    saw_the_client,
    saw_the_failing_call,
    told_only_its_kind,
    ended_it,
    proved_who,
)


async def walk(served: Served, way: Way, page: Page, hand: Hand) -> float:
    """Do a task step by step, and return the seconds it took."""
    started = time.monotonic()
    for step, sight in zip(way.steps, SIGHTS[hand][way.task - 1], strict=True):
        await do(page, step)
        await page.locator(sight).first.wait_for(timeout=15_000)
    return time.monotonic() - started


@pytest.mark.parametrize("hand", ["mouse", "keyboard"])
async def test_each_task_is_done_step_by_step(tmp_path: Path, hand: Hand) -> None:
    with serving(tmp_path, "--demo", "6") as served:
        async with served.api("viewer") as api, signed_in(served) as window:
            await window.open("/admin/")
            session = await until_it_fails(api)
            for way, outcome in zip((way for way in WAYS if way.hand == hand), OUTCOMES, strict=True):
                taken = await walk(served, way, window.page, hand)
                await outcome(window.page, api, session)
                assert taken < 60, way.title
        assert window.complaints == [] and window.foreign == []


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.task} by {way.hand}")
def test_the_script_counts_its_actions_and_takes_less_than_a_minute(way: Way) -> None:
    assert sum(step.actions for step in way.steps) == way.stated_actions
    assert round(sum(step.seconds for step in way.steps)) == way.stated_seconds < 60


def test_a_keyboard_way_has_no_click_and_every_task_has_both() -> None:
    assert [step.text for way in WAYS if way.hand == "keyboard" for step in way.steps if step.clicked] == []
    assert [(way.task, way.hand) for way in WAYS] == [(task, hand) for task in range(1, 6) for hand in SIGHTS]
