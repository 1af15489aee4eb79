"""The main job in a real browser, with a real client at the other end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError
from playwright.async_api import Page, expect

from tests.support.browsing import signed_in
from tests.support.clients import connected, text_of
from tests.support.processes import serving

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def session_page(page: Page, client: str) -> None:
    """Open the page of the session of that client from the list."""
    await page.locator("tbody tr", has_text=client).locator("a").first.click()
    await page.wait_for_url("**/admin/sessions/*")


async def test_an_operator_watches_a_session_and_expires_it(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        async with connected(served.mcp, name="watched-client") as (client, _), signed_in(served) as window:
            page = window.page
            await window.open("/admin/sessions")
            await window.until_live()
            row = page.locator("tbody tr", has_text="watched-client")
            before = await row.inner_text()
            await client.call_tool("set_session_data", {"key": "seen", "value": "yes"})
            await client.call_tool("fail")
            await expect(row).not_to_have_text(before, timeout=5_000)
            await expect(row.locator("td", has_text=re.compile(r"^1\s"))).to_be_visible()  # one error
            await session_page(page, "watched-client")
            await page.get_by_role("link", name="Keys").click()
            await expect(page.get_by_text("seen", exact=True)).to_be_visible()
            await page.get_by_role("link", name="Expire…").click()
            dialog = page.get_by_role("dialog")
            await dialog.get_by_label("Reason").fill("moving to the new cluster")
            await dialog.get_by_role("button", name="Expire session").click()
            await expect(page.get_by_text("Expired").first).to_be_visible()
            with pytest.raises(MCPError, match="moving to the new cluster"):
                await client.call_tool("echo", {"text": "hello?"})
            await window.open("/admin/audit")
            await expect(page.get_by_text("moving to the new cluster").first).to_be_visible()
            assert await window.violations() == []
            assert window.foreign == []
            assert window.complaints == []


async def test_an_operator_messages_and_replays_and_the_client_hears_both(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        async with connected(served.mcp, name="told-client") as (_, hearing), signed_in(served) as window:
            page = window.page
            await window.open("/admin/sessions")
            await session_page(page, "told-client")
            await window.until_live()
            await page.get_by_role("link", name="Message…").click()
            dialog = page.get_by_role("dialog")
            await dialog.get_by_label("Text").fill("tea at four")
            await dialog.get_by_role("button", name="Send message").click()
            await hearing.until_logged("tea at four")
            await page.locator(".tabs").get_by_role("link", name="Events").click()
            sent = page.locator("tr, li", has_text="notifications/message").first
            await expect(sent).to_be_visible(timeout=5_000)
            await page.get_by_role("link", name="Replay…").click()
            await dialog.get_by_label("From event number").fill("1")
            await dialog.get_by_label("From event number").press("Tab")
            await dialog.get_by_role("button", name="Replay 1 event", exact=True).click()
            await hearing.until_logged("tea at four", times=2)
            assert await window.violations() == []
            assert window.complaints == []


async def test_a_broadcast_shows_its_receipts(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        async with (
            connected(served.mcp, name="first") as (_, one),
            connected(served.mcp, name="second") as (_, two),
            signed_in(served) as window,
        ):
            page = window.page
            await window.open("/admin/broadcasts/new")
            await page.get_by_label("Text").fill("doors close at six")
            await page.get_by_role("button", name=re.compile("^Send to 2 sessions")).click()
            await one.until_logged("doors close at six")
            await two.until_logged("doors close at six")
            await expect(page.get_by_text("Delivered").first).to_be_visible(timeout=5_000)
            assert window.complaints == []


async def test_the_console_works_without_javascript(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        async with (
            connected(served.mcp, name="plain") as (client, _),
            signed_in(served, java_script_enabled=False) as window,
        ):
            page = window.page
            await window.open("/admin/sessions?q=client:plain")
            await session_page(page, "plain")
            await page.get_by_role("link", name="Expire…").click()
            await page.get_by_label("Reason").fill("no script needed")
            await page.get_by_role("button", name="Expire session").click()
            with pytest.raises(MCPError, match="no script needed"):
                await client.call_tool("echo", {"text": "hello?"})


async def test_hostile_names_are_shown_and_do_nothing(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)> <b hx-get='/admin/audit' hx-trigger='load'>\u202egnp"
    with serving(tmp_path) as served:
        async with connected(served.mcp, name=name) as (client, _), signed_in(served) as window:
            page = window.page
            dialogs: list[str] = []
            page.on("dialog", lambda dialog: dialogs.append(dialog.message))
            assert text_of(await client.call_tool("echo", {"text": "<script>alert(2)</script>"})) != ""
            await window.open("/admin/sessions")
            await window.until_live()
            await page.locator("tbody tr a").first.click()
            await page.wait_for_url("**/admin/sessions/*")
            await window.until_live()
            assert await page.locator("img").count() == 0
            assert "\u202e" not in await page.inner_text("body")
            assert dialogs == []
            assert await window.violations() == []
            assert window.complaints == []


async def test_an_operator_closes_a_stream_and_the_client_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        async with connected(served.mcp, name="streaming") as (_, hearing), signed_in(served) as window:
            page = window.page
            await window.open("/admin/sessions")
            await session_page(page, "streaming")
            await page.get_by_role("link", name="Streams and calls").click()
            await page.get_by_role("link", name="Close stream…").first.click()
            dialog = page.get_by_role("dialog")
            await dialog.get_by_label("Reason").fill("moving it to another proxy")
            await dialog.get_by_role("button", name="Close stream").click()
            await expect(page.get_by_text("The stream was closed.").first).to_be_visible()
            await page.get_by_role("link", name="Message…").click()
            await dialog.get_by_label("Text").fill("still with us")
            await dialog.get_by_role("button", name="Send message").click()
            await hearing.until_logged("still with us")
            assert window.complaints == []
