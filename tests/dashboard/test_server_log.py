"""The log of the whole server: its page, its frames, its downloads, and the same in the API."""

from __future__ import annotations

import csv
import io

import pytest

from switchroom.dashboard.exports import safe_cell
from switchroom.dashboard.frames.events import ServerEventsFrames
from switchroom.dashboard.queries import LogQuery, ServerEventsQuery
from switchroom.dashboard.templating import Templates
from switchroom.dashboard.urls import Urls
from tests.support.html import parse
from tests.support.pages import modern_call, opened, read, running_pages

pytestmark = pytest.mark.anyio

URLS = Urls("/admin")


async def test_events_of_every_session_and_client_are_one_list_newest_first() -> None:
    async with running_pages() as console:
        await opened(console, "first", calls=1)
        await opened(console, "second")
        await modern_call(console, "echo", client="third", text="hello")
        page = read(await (await console.signed_in()).get("/admin/events"))
        rows = page.one("#log-rows").select("tr")
        ids = [int(row.attributes["id"].removeprefix("g-")) for row in rows]
        assert ids == sorted(ids, reverse=True) and len(ids) > 8
        assert {name for name in ("first", "second", "third") for row in rows if name in row.text} == {
            "first",
            "second",
            "third",
        }
        target = rows[-1].select("a")[0].attributes["href"]
        assert "/events?sel=1" in target
        browser = await console.signed_in(name="bea")
        assert read(await browser.get(target)).one("#inspector")


async def test_every_condition_is_in_the_address_and_restricts() -> None:
    async with running_pages() as console:
        wanted = await opened(console, "wanted", calls=2)
        await opened(console, "other", calls=2)
        browser = await console.signed_in()
        page = read(await browser.get("/admin/events?q=client:wanted&kind=key&within=1h&direction=local&method=set"))
        rows = page.one("#log-rows").select("tr")
        assert len(rows) == 2 and all(wanted.id in row.text.replace(" ", "") for row in rows)
        selects = {each.attributes["name"]: each for each in page.select("select")}
        chosen = {
            name: [o.attributes["value"] for o in each.select("option[selected]")] for name, each in selects.items()
        }
        assert chosen["kind"] == ["key"] and chosen["within"] == ["1h"] and chosen["direction"] == ["local"]
        assert read(await browser.get("/admin/events?to=2020-01-01T00:00")).one("#log-rows").select("tr") == []


@pytest.mark.parametrize(("query", "said"), [("q=clint:x", 'did you mean "client"'), ("from=soon", "is not a time")])
async def test_what_cannot_be_read_is_said_below_the_field(query: str, said: str) -> None:
    async with running_pages() as console:
        page = read(await (await console.signed_in()).get(f"/admin/events?{query}"), status=422)
        assert said in page.one("#filter-error").text
        answer = await (await console.script()).get(f"/api/v1/events?{query}")
        assert answer.status_code == 422 and said in answer.json()["detail"]


async def test_a_follower_gets_each_new_event_once_and_first() -> None:
    async with running_pages() as console:
        await opened(console, "before")
        directory = console.room.directory
        newest = await directory.log.newest_id()
        frames = ServerEventsFrames(directory, Templates(URLS), URLS, ServerEventsQuery(LogQuery()), [newest])
        assert (await frames.frame(newest)).html == ""
        await opened(console, "after")
        frame = await frames.frame(newest)
        assert 'hx-swap="afterbegin"' in frame.html and "after" in frame.html and "before" not in frame.html
        assert (await frames.frame(frame.n)).html == ""


async def test_more_events_than_a_page_replace_it_and_the_older_ones_stay_reachable() -> None:
    async with running_pages() as console:
        directory = console.room.directory
        frames = ServerEventsFrames(directory, Templates(URLS), URLS, ServerEventsQuery(LogQuery()), [])
        await opened(console, "busy", calls=40)
        frame = await frames.frame(0)
        markup = parse(frame.html)
        rows = markup.select("tr")
        assert 'hx-swap="innerHTML"' in frame.html and len(rows) == 100
        older = markup.one("#older-events").one("a").attributes["href"]
        assert older.endswith(f"before={rows[-1].attributes['id'].removeprefix('g-')}")


async def test_downloads_hold_what_matches_and_no_formula() -> None:
    async with running_pages() as console:
        await opened(console, "=cmd|' /C calc'!A0", calls=1)
        await opened(console, "other")
        browser = await console.signed_in()
        answer = await browser.get("/admin/events/export?format=csv&errors=0&q=client:%22=cmd*%22")
        assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
        answer = await browser.get("/admin/events/export", params={"format": "csv", "q": '-client:"other"'})
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert rows and {row["client"] for row in rows} == {"'=cmd|' /C calc'!A0"}
        found = (await browser.get("/admin/events/export", params={"format": "json", "kind": "key"})).json()
        assert [each["kind"] for each in found] == ["key"] and found[0]["payload"]["key"] == "key-0"


def test_cells_that_a_spreadsheet_would_run_are_text() -> None:
    assert [safe_cell(text) for text in ("=1", "+1", "-1", "@x", "\tx", " =1", "plain")] == [
        "'=1",
        "'+1",
        "'-1",
        "'@x",
        "'\tx",
        "' =1",
        "plain",
    ]
    assert safe_cell(-5) == -5 and safe_cell(None) == ""


async def test_the_api_pages_through_the_whole_log() -> None:
    async with running_pages() as console:
        await opened(console, "first", calls=2)
        await opened(console, "second", calls=2)
        script = await console.script()
        whole = (await script.get("/api/v1/events?limit=1000")).json()["items"]
        found: list[int] = []
        cursor = ""
        while True:
            page = (await script.get(f"/api/v1/events?limit=7{cursor}")).json()
            found += [each["id"] for each in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert found == [each["id"] for each in whole]
        newest = found[0]
        assert (await script.get(f"/api/v1/events?after={newest}")).json()["items"] == []
