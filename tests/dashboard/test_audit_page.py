"""The audit log's page: the filter language about actions, downloads, one action whole."""

from __future__ import annotations

import csv
import io

import pytest

from switchroom.server.models import Role
from tests.support.console import Console
from tests.support.pages import opened, read, running_pages

pytestmark = pytest.mark.anyio


async def expired(console: Console, name: str, reason: str) -> str:
    """Expire a session through the API as `ci` and return its reference."""
    session = await opened(console, name)
    script = await console.script(name=f"ci-{name}")
    answer = await script.post(f"/api/v1/sessions/{session.id}/expiration", json={"reason": reason})
    assert answer.status_code == 200, answer.text
    return session.id


@pytest.mark.parametrize(
    "query",
    ["actor:ci-one", "reason:2291", "action:expire -actor:ci-two", "session:{id}", "INC-2291", "target:{id} age:<1h"],
)
async def test_the_log_takes_filters_in_the_language_of_the_lists(query: str) -> None:
    async with running_pages() as console:
        session_id = await expired(console, "one", "moved, INC-2291")
        await expired(console, "two", "spring cleaning")
        browser = await console.signed_in()
        asked = query.format(id=session_id)
        page = read(await browser.get("/admin/audit", params={"q": asked}))
        rows = [row for row in page.one("#trail").select("tr") if row.attributes.get("id")]
        assert len(rows) == 1 and "INC-2291" in rows[0].text
        assert " ".join(chip.text.strip() for chip in page.select(".chip")).replace("-", "") == asked.replace("-", "")
        script = await console.script(name="reader")
        items = (await script.get("/api/v1/audit", params={"q": asked})).json()["items"]
        assert [each["reason"] for each in items] == ["moved, INC-2291"]


async def test_a_key_of_another_list_is_refused_with_the_nearest_one() -> None:
    async with running_pages() as console:
        page = read(await (await console.signed_in()).get("/admin/audit?q=actr:ada"), status=422)
        assert 'did you mean "actor"' in page.one("#filter-error").text


async def test_older_addresses_with_an_actor_and_an_action_still_work() -> None:
    async with running_pages() as console:
        await expired(console, "one", "moved")
        page = read(await (await console.signed_in()).get("/admin/audit?actor=ci-one&action=expire"))
        assert [chip.text for chip in page.select(".chip")] == ["actor:ci-one", "action:expire"]


async def test_a_row_opens_the_exact_request_with_a_result_for_each_session() -> None:
    async with running_pages() as console:
        ids = sorted([(await opened(console, "one")).id, (await opened(console, "two")).id])
        browser = await console.signed_in()
        await browser.post("/admin/expirations", data={"id": ids, "reason": "INC-7", "q": ""})
        link = read(await browser.get("/admin/audit?q=action:expire")).one("#trail").one(".deed-link")
        page = read(await browser.get(link.attributes["href"]))
        assert page.one("h1").text == "Expire" and "INC-7" in page.text and "ana" in page.text
        listed = [cell.text for cell in page.select("td")]
        assert listed == [ids[0], "expired", ids[1], "expired"]


async def test_the_log_is_downloaded_as_it_is_filtered() -> None:
    async with running_pages() as console:
        await expired(console, "one", "=HYPERLINK(1)")
        await expired(console, "two", "plain")
        browser = await console.signed_in(Role.VIEWER)
        answer = await browser.get("/admin/audit/export", params={"q": "actor:ci-one"})
        (row,) = csv.DictReader(io.StringIO(answer.text))
        assert (row["actor"], row["reason"], row["outcome"]) == ("ci-one", "'=HYPERLINK(1)", "done")
        found = (await browser.get("/admin/audit/export", params={"format": "json", "q": "action:expire"})).json()
        assert [each["reason"] for each in found] == ["plain", "=HYPERLINK(1)"]
        assert found[0]["detail"]["expired"] == 1
