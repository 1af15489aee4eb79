"""The overview, the calls in flight and health: what they say of a real engine, and where they lead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx2
import pytest

from switchroom.dashboard.attention import concerns
from switchroom.dashboard.call_data import CallQuery
from switchroom.dashboard.frames.calls import CallFrames
from switchroom.dashboard.health_data import health_now
from switchroom.dashboard.templating import Templates
from switchroom.dashboard.urls import Urls
from switchroom.server.engine.limits import Limit
from switchroom.server.engine.streams import OpenStream
from switchroom.server.models import Figures, Role
from tests.support.console import Console, McpCaller
from tests.support.html import Element, parse
from tests.support.pages import HTMX, opened, read, running_pages
from tests.support.servers import eventually
from tests.support.toolbox import Toolbox

pytestmark = pytest.mark.anyio

URLS = Urls()


async def said(console: Console) -> list[str]:
    return [concern.text for concern in await concerns(console.room, URLS)]


# -- overview ----------------------------------------------------------------------------------


async def test_every_number_of_the_overview_leads_somewhere(console: Console, browser: httpx2.AsyncClient) -> None:
    await opened(console, calls=3)
    page = read(await browser.get("/admin/"))
    numbers = page.one("#numbers").select("a")
    assert len(numbers) == 6
    for link in [*numbers, *page.one("#facets").select("a")]:
        assert (await browser.get(link.attributes["href"])).status_code == 200, link.attributes["href"]


@pytest.mark.parametrize("name", ["15m", "1h", "24h"])
async def test_each_chart_is_a_picture_a_sentence_and_a_table(
    console: Console, browser: httpx2.AsyncClient, name: str
) -> None:
    await opened(console, calls=2)
    now = int(time.time()) // 60 * 60
    console.room.engine.meter.minutes.extend(Figures(now - 60 * n, 60, handshake=n, errors=1) for n in (3, 2, 1))
    page = read(await browser.get(f"/admin/?range={name}"))
    for key in ("sessions", "requests", "errors", "latency"):
        chart = page.one(f"#chart-{key}")
        picture = chart.one("svg[role=img]")
        assert "over the last" in picture.attributes["aria-label"]
        assert chart.one("details").one("tbody").select("tr"), key
        assert chart.one("summary").text == "View as table"
    paths = page.one("#chart-requests").select("path")
    assert any(path.attributes["d"].startswith("M") for path in paths)
    (current,) = [a for a in page.one("nav.segmented").select("a") if "aria-current" in a.attributes]
    assert current.text == {"15m": "15 min", "1h": "1 h", "24h": "24 h"}[name]


async def test_the_worst_method_is_named_and_its_name_is_harmless(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    caller = console.mcp_client()
    await caller.initialize()
    for number in range(3):
        await caller.call("<img src=x onerror=alert(1)>", request_id=number + 1)
    text = (await browser.get("/admin/")).text
    assert "Worst: tools/call &lt;img src=x" in text and "<img" not in text


async def test_without_sessions_the_overview_says_where_clients_connect(browser: httpx2.AsyncClient) -> None:
    page = read(await browser.get("/admin/"))
    assert "/mcp" in page.one("div.empty").text


# -- attention ---------------------------------------------------------------------------------


async def test_nothing_needs_attention_on_a_quiet_server(console: Console) -> None:
    await opened(console, calls=1)
    console.room.engine.loop_lag.stop()
    assert [text for text in await said(console) if "event loop" not in text] == []


async def test_a_limit_that_was_reached_and_one_that_is_near_need_attention() -> None:
    async with running_pages(max_sessions=5, max_sessions_per_address=4) as console:
        for number in range(4):
            await opened(console, f"client-{number}")
        near = await said(console)
        assert any("Limit near: Live sessions, 4 of 5" in text for text in near)
        with pytest.raises(AssertionError):
            await opened(console, "one too many")
        (reached,) = [text for text in await said(console) if "Limit reached 1 time" in text]
        assert "Sessions of one address" in reached and "127.0.0.1" in reached


async def test_errors_that_spike_need_attention_and_name_the_worst_method(console: Console) -> None:
    caller = console.mcp_client()
    await caller.initialize()
    now = int(time.time()) // 60 * 60
    minutes = console.room.engine.meter.minutes
    minutes.extend(Figures(now - 60 * n, 60, handshake=100, errors=0) for n in range(30, 6, -1))
    names = {"tools/call boom": (40, 38)}
    minutes.append(Figures(now - 60, 60, handshake=60, errors=38, by_name=names))
    (spike,) = [text for text in await said(console) if text.startswith("Errors:")]
    assert "63%" in spike and "0% before" in spike and "tools/call boom" in spike


async def test_a_stream_that_nobody_reads_needs_attention(console: Console, browser: httpx2.AsyncClient) -> None:
    session = await opened(console, "deaf")
    live = console.room.engine.by_id[session.id]
    stream = OpenStream(0, "get", lambda: None)
    stream.blocked_since = time.time() - 60
    live.streams = [stream]
    assert any("1 stream open but not read by the client" in text for text in await said(console))
    page = read(await browser.get("/admin/health"))
    assert "deaf" in page.one("#health-now").text and f"/admin/sessions/{session.id}/streams" in str(page)
    live.streams = None


async def test_a_proxy_that_cuts_streams_at_one_age_is_named(console: Console, browser: httpx2.AsyncClient) -> None:
    for age in (12.0, 60.2, 59.8, 60.1, 31.0, 60.4, 60.0, 60.3):
        stream = OpenStream(0, "get", lambda: None)
        stream.is_lost = True
        stream.opened_at = time.time() - age
        console.room.engine.stream_watch.ended(stream)
    assert any("cuts streams at 60 s: 6 of the last 8" in text for text in await said(console))
    assert "60 ± 1 s" in (await browser.get("/admin/health")).text


async def test_streams_that_end_at_any_age_are_nobodys_doing(console: Console) -> None:
    for age in (6.0, 20.0, 45.0, 90.0, 130.0, 260.0, 700.0, 1_500.0):
        stream = OpenStream(0, "get", lambda: None)
        stream.is_lost = True
        stream.opened_at = time.time() - age
        console.room.engine.stream_watch.ended(stream)
    assert console.room.directory.vitals().stream_cut is None


# -- calls in flight ---------------------------------------------------------------------------


@pytest.fixture
async def busy() -> AsyncIterator[tuple[Console, Toolbox, McpCaller]]:
    """A console whose server has one call in flight, which counts as hung at once."""
    tools = Toolbox()
    async with running_pages(tools.mcp, hung_call_seconds=0.05, cancel_grace_seconds=0.5) as console:
        caller = console.mcp_client()
        await caller.initialize("slow-client", "2.0")
        call = asyncio.ensure_future(caller.call("wait", request_id=7))
        await eventually(lambda: bool(console.room.directory.calls()))
        yield console, tools, caller
        tools.let_go()
        await call


async def test_a_call_in_flight_is_listed_with_whose_it_is_and_can_be_cancelled(
    busy: tuple[Console, Toolbox, McpCaller],
) -> None:
    console, _, _ = busy
    browser = await console.signed_in()
    page = read(await browser.get("/admin/calls"))
    (row,) = page.one("tbody").select("tr")
    assert "slow-client" in row.text and "wait" in row.text and "running" in row.text
    hrefs = [link.attributes["href"] for link in row.select("a")]
    for href in hrefs:
        assert (await browser.get(href)).status_code == 200, href
    cancel = next(href for href in hrefs if "cancellations" in href)
    form = read(await browser.get(cancel, headers=HTMX)).one("form")
    sent = {"request_id": form.one("input[name=request_id]").attributes["value"], "reason": "hung"}
    assert (await browser.post(form.attributes["action"], data=sent, headers=HTMX)).status_code == 200
    await eventually(lambda: not console.room.directory.calls())


async def test_a_hung_call_needs_attention_and_has_a_list_of_its_own(busy: tuple[Console, Toolbox, McpCaller]) -> None:
    console, _, _ = busy
    (flying,) = console.room.directory.calls()
    await eventually(lambda: time.time() - flying.call.started_at > 0.05)
    found = [each for each in await concerns(console.room, URLS) if "in flight for over" in each.text]
    assert found and found[0].url == "/admin/calls?hung=1"
    browser = await console.signed_in()
    assert len(read(await browser.get(found[0].url)).one("tbody").select("tr")) == 1
    script = await console.script(Role.VIEWER)
    answer = (await script.get("/api/v1/in-flight", params={"hung": "true", "q": "client:slow*"})).json()
    assert answer["total"] == 1 and answer["items"][0]["request_id"] == 7
    assert (await script.get("/api/v1/in-flight", params={"q": "client:other"})).json()["total"] == 0
    assert (await script.get("/api/v1/in-flight", params={"q": "nokey:x"})).status_code == 422


async def test_a_viewer_sees_calls_and_cannot_cancel_them(busy: tuple[Console, Toolbox, McpCaller]) -> None:
    console, _, _ = busy
    viewer = await console.signed_in(Role.VIEWER, "vera")
    page = read(await viewer.get("/admin/calls"))
    assert "wait" in page.one("tbody").text and "Cancel" not in page.one("tbody").text


async def test_a_filter_that_cannot_be_read_is_explained_in_place(browser: httpx2.AsyncClient) -> None:
    page = read(await browser.get("/admin/calls?q=clint:x"), 422)
    assert "client" in page.one("#filter-error").text


async def test_an_answered_call_stays_in_its_row_and_new_ones_are_counted(
    busy: tuple[Console, Toolbox, McpCaller],
) -> None:
    console, tools, caller = busy
    (flying,) = console.room.directory.calls()
    key = f"{flying.session.id}-{flying.call.seq}"
    frames = CallFrames(console.room, Templates(URLS), URLS, CallQuery(), [key], can_act=True)
    assert "running" in parse((await frames.frame(0)).html).text
    second = asyncio.ensure_future(caller.call("wait", request_id=8))
    await eventually(lambda: len(console.room.directory.calls()) == 2)
    assert "1 new call in flight" in parse((await frames.frame(0)).html).text
    tools.let_go()
    await second
    await eventually(lambda: not console.room.directory.calls())
    shown = parse((await frames.frame(0)).html)
    assert "answered" in shown.text and "Cancel" not in shown.text


# -- health ------------------------------------------------------------------------------------


def limit_row(page: Element, label: str) -> Element:
    return next(row for row in page.one("#limits").one("tbody").select("tr") if label in row.text)


async def test_health_says_how_near_each_limit_is_and_how_often_it_was_reached() -> None:
    async with running_pages(max_sessions=4) as console:
        for number in range(4):
            await opened(console, f"client-{number}", calls=1)
        with pytest.raises(AssertionError):
            await opened(console, "one too many")
        browser = await console.signed_in()
        page = read(await browser.get("/admin/health"))
        cells = [cell.text for cell in limit_row(page, "Live sessions").select("td")]
        assert cells[:3] == ["Live sessions", "4", "4"] and cells[4] == "1" and "127.0.0.1" in cells[5]
        assert {state.limit for state in console.room.directory.limits()} == set(Limit)


async def test_health_tells_store_memory_and_loop(console: Console) -> None:
    now = health_now(console.room, URLS)
    facts = {fact.label: fact.value for fact in (*now.store, *now.process, *now.streams)}
    assert facts["Last error"] == "none" and facts["Durability"] == "none, in memory"
    assert facts["Memory"].endswith(("MB", "GB")) and facts["Memory trend"] == "known after an hour"
    assert facts["Key ring for secrets"] == "none, secrets are refused"


# -- errors ------------------------------------------------------------------------------------


async def test_a_session_that_is_not_known_leads_to_the_audit_log(browser: httpx2.AsyncClient) -> None:
    page = read(await browser.get("/admin/sessions/01JD8XK2M4QR8"), 404)
    links = [link.attributes["href"] for link in page.one("section.card").select("a")]
    assert "/admin/audit?q=01JD8XK2M4QR8" in links
    assert (await browser.get("/admin/audit?q=01JD8XK2M4QR8")).status_code == 200
