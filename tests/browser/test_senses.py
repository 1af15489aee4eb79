"""What the console promises to eyes, ears and hands: motion, contrast, speech, shortcuts; and its own thrift."""

from __future__ import annotations

import base64
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from switchroom.server.sealing import make_key
from tests.support.browsing import signed_in
from tests.support.clients import connected
from tests.support.crowd import crowd
from tests.support.processes import Served, serving
from tests.support.wire import client, initialize_message

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SMALL = """(found) => found
  .filter((control) => control.checkVisibility() && control.getBoundingClientRect().height < 44)
  .map((control) => control.outerHTML)"""
"""Controls that are lower than a finger is wide."""

COUNT_FRAMES = """() => {
  window.frameCount = 0;
  document.addEventListener('htmx:sse:before:message', (event) => {
    if (!event.detail.message.event) window.frameCount += 1;
  });
}"""

SECRET = "sk-never-on-a-page-55"
STATES = 6
"""At least so many are above the list, each with its shape."""

LARGE = '''
from mcp.server.mcpserver import MCPServer

mcp = MCPServer("large", log_level="WARNING")

@mcp.tool()
async def large(size: int) -> str:
    """Answer with so many bytes."""
    return "x" * size
'''

DIFFERENCE = """async ([one, other]) => {
  const pixels = async (data) => {
    const image = await createImageBitmap(await (await fetch("data:image/png;base64," + data)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    return canvas.getImageData(0, 0, image.width, image.height).data;
  };
  const [a, b] = [await pixels(one), await pixels(other)];
  let differing = 0;
  for (let at = 0; at < Math.min(a.length, b.length); at += 4) differing += Math.abs(a[at] - b[at]) > 48 ? 1 : 0;
  return differing / (a.length / 4);
}"""
"""How much of two pictures differs clearly in brightness."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("senses"), secret_keys=make_key("k1"), limits="off") as running:
        yield running


async def state_icons(page: Page) -> list[str]:
    """Return a picture of each state's shape as it is seen without colour."""
    await page.add_style_tag(content="html { filter: grayscale(1) }")
    icons = page.locator(".facet .st:visible")
    assert await icons.count() >= STATES
    return [base64.b64encode(await icon.screenshot()).decode() for icon in await icons.all()]


@pytest.mark.parametrize("look", ["light", "dark", "forced colours"])
async def test_states_are_told_apart_without_colour(served: Served, look: str) -> None:
    scheme: dict[str, str] = {"forced_colors": "active"} if look == "forced colours" else {"color_scheme": look}
    async with signed_in(served, reduced_motion="reduce", bypass_csp=True, device_scale_factor=3, **scheme) as window:
        await window.open("/admin/sessions")
        pictures = await state_icons(window.page)
        blank = await window.context.new_page()
        pairs = list(itertools.combinations(pictures, 2))
        shares = [await blank.evaluate(DIFFERENCE, pair) for pair in pairs]
    assert min(shares) > 0.05, shares


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_nothing_moves_for_who_wants_no_motion(served: Served, motion: str) -> None:
    async with client(served.mcp) as wire, signed_in(served, reduced_motion=motion) as window:
        await wire.post(initialize_message())  # and no more: what turns is the state of a handshake under way
        await window.open("/admin/sessions?q=state:initializing")
        await window.page.locator("tbody .st.initializing").first.wait_for()
        running = "document.getAnimations().filter((each) => each.playState === 'running').length"
        assert (await window.page.evaluate(running) > 0) == (motion == "no-preference")


async def test_updates_are_not_spoken_and_news_at_most_every_ten_seconds(served: Served) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("spoken-client")
        page = window.page
        await page.clock.install()
        await window.open("/admin/sessions?q=client:spoken-client")
        await page.clock.run_for(1_000)
        await page.evaluate(
            "window.spoken = []; const region = document.getElementById('announce');"
            "new MutationObserver(() => spoken.push(region.textContent)).observe(region, { childList: true })"
        )
        await people.call(0)
        await expect(page.locator("tbody tr td.n").first).to_have_text("2", timeout=8_000)
        assert await page.evaluate("spoken") == []
        await page.evaluate("for (const text of ['one', 'two', 'three']) switchroom.announce(text)")
        assert await page.evaluate("spoken") == ["one"]
        await page.clock.run_for(9_000)
        assert await page.evaluate("spoken") == ["one"]
        await page.clock.run_for(2_000)
        assert await page.evaluate("spoken") == ["one", "three"]


async def test_shortcuts_are_silent_while_typing_and_can_be_switched_off(served: Served) -> None:
    async with signed_in(served) as window:
        page = window.page
        await window.open("/admin/sessions")
        await page.keyboard.press("f")
        await page.keyboard.type("g?x")
        await expect(page.locator("#add")).to_have_value("g?x")
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await window.open("/admin/sessions")
        await page.keyboard.press("?")
        await page.get_by_label("One-key shortcuts are on").uncheck()
        await page.keyboard.press("Escape")
        await expect(page.locator("#dlg")).to_be_hidden()
        await page.keyboard.press("f")
        await expect(page.locator("#add")).not_to_be_focused()
        await page.keyboard.press("?")
        await page.get_by_role("link", name="Shortcuts").click()
        await page.get_by_label("One-key shortcuts are on").check()
        await page.keyboard.press("Escape")
        await expect(page.locator("#dlg")).to_be_hidden()
        await page.keyboard.press("f")
        await expect(page.locator("#add")).to_be_focused()


async def test_a_payload_of_five_megabytes_opens_cut_off_within_300_ms(tmp_path: Path) -> None:
    (tmp_path / "target.py").write_text(LARGE, "utf-8")
    with serving(tmp_path, "target.py:mcp") as served:
        async with crowd(served.mcp) as people, signed_in(served) as window:
            await people.join("huge")
            await people.call(0, "large", size=5_000_000)
            page = window.page
            await window.open("/admin/sessions?q=client:huge")
            path = await page.locator("tbody a.ref").get_attribute("href")
            taken: list[float] = []
            for _ in range(3):
                await window.open(f"{path}/events?method=tools/call&kind=response")
                await window.until_live()
                started = time.monotonic()
                await page.locator("#log-rows .at a").first.click()
                await page.locator("#inspector .cut-note").wait_for()
                taken.append(time.monotonic() - started)
            await expect(page.locator("#inspector .cut-note")).to_contain_text("Show all 9.5 MB")
            assert len(await page.locator("#payload").inner_text()) < 100_000
    assert min(taken) < 0.3, taken


async def test_a_page_of_busy_sessions_gets_one_frame_a_second_and_takes_less_than_a_tenth_of_a_core(
    served: Served,
) -> None:
    async with crowd(served.mcp) as people, signed_in(served) as window:
        await people.join("busy-client", 50)
        page = window.page
        await window.open("/admin/sessions?q=client:busy-client&sort=client&size=50")
        await window.until_live()
        session: Any = await window.context.new_cdp_session(page)
        await session.send("Performance.enable", {"timeDomain": "threadTicks"})

        async def thread_seconds() -> float:
            metrics = (await session.send("Performance.getMetrics"))["metrics"]
            return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")

        await page.evaluate(COUNT_FRAMES)
        before, started = await thread_seconds(), time.monotonic()
        for turn in range(4):
            for index in range(50):
                await people.call(index)
            await expect(page.locator("tbody tr td.n").first).to_have_text(str(turn + 2), timeout=8_000)
        seconds = time.monotonic() - started
        share = (await thread_seconds() - before) / seconds
        frames: int = await page.evaluate("window.frameCount")
    assert share < 0.1, f"{share:.1%}"
    assert 4 <= frames <= seconds + 2, "one that was on its way may come with the next"


async def test_a_receipts_numbers_add_up_and_who_is_excepted_hears_nothing(served: Served) -> None:
    async with (
        connected(served.mcp, name="told-one") as (_, one),
        connected(served.mcp, name="told-two") as (_, two),
        connected(served.mcp, name="told-not") as (left_out, nothing),
        signed_in(served) as window,
    ):
        page = window.page
        await window.open("/admin/broadcasts/new?q=client:told-*")
        await page.get_by_label("Except").fill("client:told-not")
        await page.get_by_label("Text or JSON").fill("only for two")
        await page.get_by_role("button", name="Send to 2 sessions").click()
        await one.until_logged("only for two")
        await two.until_logged("only for two")
        await expect(page.locator("#receipt .pill")).to_have_text("Done", timeout=8_000)
        await expect(page.locator("#receipt .meta")).to_have_text("2 of 2 settled", timeout=8_000)
        tallies = await page.locator("#receipt .tallies b").all_inner_texts()
        assert sum(int(tally.replace(",", "")) for tally in tallies) == 2
        await left_out.call_tool("echo", {"text": "whatever was sent before this would be here"})
        assert nothing.logs == []


async def test_a_secret_reaches_neither_the_page_nor_its_stream(served: Served) -> None:
    async with connected(served.mcp, name="sealed") as (client, _), signed_in(served) as window:
        page = window.page
        await page.add_init_script(
            "window.heard = [];"
            "addEventListener('htmx:sse:before:message', (event) => heard.push(event.detail.message.data))"
        )
        await window.open("/admin/sessions?q=client:sealed")
        path = await page.locator("tbody a.ref").get_attribute("href")
        await window.open(f"{path}/events")
        await window.until_live()
        await client.call_tool("store_sensitive_data", {"key": "pin", "value": SECRET})
        await client.call_tool("retrieve_sensitive_data", {"key": "pin"})
        await expect(page.locator("#log-rows tr", has_text="retrieve_sensitive_data").first).to_be_visible(
            timeout=8_000
        )
        heard = "".join(await page.evaluate("heard"))
        assert "retrieve_sensitive_data" in heard and SECRET not in heard
        rows: list[str] = await page.locator("#log-rows tr").evaluate_all("rows => rows.map(row => row.id.slice(2))")
        for part in (*(f"events?sel={seq}&as=raw" for seq in rows[:6]), "keys?view=pin"):
            await window.open(f"{path}/{part}")
            assert SECRET not in await page.content(), part


async def test_a_finger_finds_every_control(served: Served) -> None:
    async with connected(served.mcp, name="tapped"), signed_in(served, has_touch=True, is_mobile=True) as window:
        page = window.page
        await page.set_viewport_size({"width": 390, "height": 844})
        await window.open("/admin/sessions?q=client:tapped")
        row = await page.locator("tbody tr").bounding_box()
        assert row is not None
        await page.touchscreen.tap(row["x"] + row["width"] / 2, row["y"] + row["height"] / 2)
        await page.wait_for_url("**/admin/sessions/*")
        session = page.url.removeprefix(window.base)
        for path in (session, f"{session}/keys", f"{session}/streams", "/admin/operators", "/admin/sessions"):
            await window.open(path)
            small: list[str] = await page.locator("main :is(.btn, .tabs a, .segmented a, select)").evaluate_all(SMALL)
            assert small == [], path
