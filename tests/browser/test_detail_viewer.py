"""Reading a session's log: addresses that say it all, hostile content, playing it, keys, printing, no script."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.support.browsing import Window, signed_in
from tests.support.clients import connected
from tests.support.processes import Served

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def open_session(window: Window, name: str, tab: str = "") -> str:
    """Open the page of that client's session and return its path."""
    await window.open(f"/admin/sessions?q=client:{name}")
    path = await window.page.locator("tbody tr a").first.get_attribute("href")
    assert path is not None
    await window.open(f"{path}{tab}")
    return path


async def shown(window: Window) -> tuple[list[str], str]:
    """Return the rows of the log and what the inspector shows."""
    rows = await window.page.locator("#log-rows tr").evaluate_all("rows => rows.map(row => row.id)")
    return rows, await window.page.locator("#payload").inner_text()


async def test_filters_range_and_the_chosen_event_are_in_the_address(served: Served) -> None:
    async with connected(served.mcp, name="addressed") as (client, _), signed_in(served) as window:
        page = window.page
        await client.call_tool("fail")
        await client.call_tool("echo", {"text": "x"})
        await open_session(window, "addressed")
        await page.get_by_role("link", name="1 h", exact=True).click()
        await page.wait_for_url("**range=60*")
        await page.get_by_label("Kind").select_option("response")
        await page.wait_for_url("**kind=response*")
        await page.get_by_label("Errors only").check()
        await page.wait_for_url("**errors=1*")
        await page.locator("#log-rows .at a").first.click()
        await page.wait_for_url("**sel=*")
        await page.locator("#inspector").get_by_role("link", name="Raw", exact=True).click()
        await page.wait_for_url("**as=raw*")
        before = await shown(window)
        assert len(before[0]) == 1 and '"isError":true' in before[1]
        await page.reload()
        assert await shown(window) == before
        await expect(page.get_by_label("Kind")).to_have_value("response")
        await expect(page.get_by_role("link", name="1 h", exact=True)).to_have_attribute("aria-current", "true")
        await page.go_back()
        await expect(page.locator("#inspector").get_by_role("link", name="Pretty")).to_have_attribute(
            "aria-current", "true"
        )
        await page.locator("#inspector").locator("a.code", has_text="tools/call fail").click()
        await expect(page.locator("#inspector h2")).not_to_have_text("")
        await expect(page.locator("#inspector dl")).to_contain_text("Answered by")
        assert window.complaints == [] and await window.violations() == []


async def test_a_digit_opens_each_tab(served: Served) -> None:
    async with connected(served.mcp, name="tabbed"), signed_in(served) as window:
        await open_session(window, "tabbed")
        tabs = window.page.locator("#tabs a")
        assert await tabs.count() == 8
        for number in reversed(range(8)):
            await window.page.keyboard.press(str(number + 1))
            await expect(tabs.nth(number)).to_have_attribute("aria-current", "page")


async def test_a_log_is_played_with_its_timing_and_stepped_by_keys(served: Served) -> None:
    async with (
        connected(served.mcp, name="played") as (client, _),
        signed_in(served, reduced_motion="reduce") as window,
    ):
        page = window.page
        for number in range(3):
            await client.call_tool("set_session_data", {"key": "step", "value": f"value {number}"})
        await open_session(window, "played", "/events?play=10&at=1")
        moment = page.locator("#play-at")
        await expect(moment).to_have_value("1")
        await page.keyboard.press("ArrowRight")
        await expect(moment).to_have_value("2")
        await page.keyboard.press("ArrowLeft")
        await expect(moment).to_have_value("1")
        await page.keyboard.press("Space")
        await expect(page.locator("#play-toggle")).to_contain_text("Play", timeout=10_000)
        await expect(page.get_by_label("Next event")).to_have_attribute("aria-disabled", "true", timeout=10_000)
        await expect(page.locator("#playback")).to_contain_text('"value 2"')
        last = await moment.input_value()
        assert f"at={last}" in page.url
        await page.locator("#playback tbody tr").nth(3).locator(".at a").click()
        await expect(moment).not_to_have_value(last)
        assert await page.evaluate("document.getAnimations().length") == 0
        assert window.complaints == [] and await window.violations() == []


async def test_replaying_from_an_event_counts_while_the_choice_is_made(served: Served) -> None:
    async with connected(served.mcp, name="again") as (client, hearing), signed_in(served) as window:
        page = window.page
        await open_session(window, "again", "/events")
        async with served.api() as api:
            for text in ("first", "second"):
                await api.post("/broadcasts", json={"text": text, "filter": "client:again"})
        await hearing.until_logged("second")
        await client.call_tool("echo", {"text": "x"})
        await page.reload()
        await page.locator("#log-rows tr", has_text="notifications/message").last.locator(".at a").click()
        await page.get_by_role("link", name="Replay from here…").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_role("button", name="Replay 2 events")).to_be_visible()
        await expect(dialog).to_contain_text("does not allow an answer to be sent twice")
        await dialog.get_by_label("One event, number").check()
        await dialog.get_by_role("button", name="Replay 1 event", exact=True).click()
        await hearing.until_logged("first", times=2)
        await expect(dialog).to_contain_text("Delivered")
        assert hearing.logs.count("second") == 1
        await dialog.get_by_role("link", name="Close").click()
        await expect(dialog).to_be_hidden()


async def test_hostile_payloads_and_keys_are_shown_and_do_nothing(served: Served) -> None:
    hostile = "<img src=x onerror=alert(1)></div><b hx-get='/admin/audit' hx-trigger='load'>\u202egnp"
    async with connected(served.mcp, name="hostile") as (client, _), signed_in(served) as window:
        page, dialogs = window.page, list[str]()
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        await client.call_tool("set_session_data", {"key": "<b>bold</b>", "value": hostile * 20})
        path = await open_session(window, "hostile", "/events?kind=key")
        await page.locator("#log-rows .at a").first.click()
        await expect(page.locator("#payload")).to_contain_text("onerror")
        for query in (
            "?play=step",
            "?play=step&at=9999",
            "?sel=5&as=raw",
            "?method=%3Cimg%20src=x%3E",
            "?from=nonsense",
        ):
            await window.open(f"{path}/events{query}")
            assert await page.locator("img").count() == 0
            assert "\u202e" not in await page.inner_text("body")
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        await expect(page.get_by_role("alert")).to_contain_text("is not a time")
        assert dialogs == [] and window.complaints == [] and await window.violations() == []


async def test_everything_that_is_read_works_without_script(served: Served) -> None:
    async with (
        connected(served.mcp, name="unscripted") as (client, _),
        signed_in(served, java_script_enabled=False) as window,
    ):
        page = window.page
        await client.call_tool("set_session_data", {"key": "a", "value": "b"})
        path = await open_session(window, "unscripted")
        for tab in ("Events", "Keys", "Streams and calls", "Capabilities", "Audit"):
            await page.get_by_role("navigation", name="Session").get_by_role("link", name=tab).click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("unscripted")
        await window.open(f"{path}/events")
        await page.get_by_label("Kind").select_option("request")
        await page.get_by_role("button", name="Apply").last.click()
        await expect(page.locator("#log-rows tr").first).to_contain_text("request")
        await page.locator("#log-rows .at a").first.click()
        await expect(page.locator("#payload")).to_contain_text('"method"')
        await page.get_by_role("link", name="Step through the log from here").click()
        at = await page.locator("#play-at").input_value()
        await page.get_by_label("Previous event").click()
        assert int(await page.locator("#play-at").input_value()) < int(at)
        await page.locator("#play-at").fill("1")
        await page.get_by_role("button", name="Go", exact=True).click()
        await expect(page.locator("#playback")).to_contain_text("No key was stored.")


async def test_the_page_is_worked_by_keyboard_alone(served: Served) -> None:
    async with (
        connected(served.mcp, name="keys-one"),
        connected(served.mcp, name="keys-two"),
        signed_in(served) as window,
    ):
        page = window.page
        await window.open("/admin/sessions?q=client:keys-*")
        first, second = [await page.locator("tbody tr a.ref").nth(n).get_attribute("href") for n in (0, 1)]
        await page.locator("tbody tr a.ref").first.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**{first}")
        await page.keyboard.press("]")
        await page.wait_for_url(f"**{second}")
        await page.keyboard.press("[")
        await page.wait_for_url(f"**{first}")
        await page.keyboard.press("2")
        await page.wait_for_url(f"**{first}/events")
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**sel=*")
        await page.keyboard.press("e")
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_label("Reason")).to_be_focused()
        await page.keyboard.type("2j e")
        assert await dialog.get_by_label("Reason").input_value() == "2j e"
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        assert window.complaints == []


async def test_a_printed_session_is_a_report(served: Served) -> None:
    async with connected(served.mcp, name="printed") as (client, _), signed_in(served) as window:
        page = window.page
        await client.call_tool("echo", {"text": "x"})
        await open_session(window, "printed", "?range=60&sel=3")
        await page.emulate_media(media="print", color_scheme="dark")
        for part in ("h1", ".facts", ".numbers", "#timeline svg", "#log-rows tr", "#payload"):
            await expect(page.locator(part).first).to_be_visible()
        await expect(page.locator("#timeline table")).to_be_visible()
        for part in (".rail", ".top", ".tabs", ".actions", ".selects", ".segmented"):
            await expect(page.locator(part).first).to_be_hidden()
        assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        assert len(await page.pdf(format="A4")) > 10_000
