"""The tab of what a session holds, and ending it from there."""

from __future__ import annotations

import time

import pytest

from switchroom.server.models import SignedIn
from tests.support.html import parse
from tests.support.pages import HTMX, opened, read, running_pages

pytestmark = pytest.mark.anyio


async def test_what_a_session_holds_is_listed_and_ended_from_its_page() -> None:
    async with running_pages() as console:
        browser, session = await console.signed_in(), await opened(console, "claude-code")
        live, base = console.room.engine.by_id[session.id], f"/admin/sessions/{session.id}"
        empty = read(await browser.get(f"{base}/resources"))
        assert "Nothing is open." in empty.text and "Nobody is signed in." in empty.text
        live.record.signed_in = SignedIn("ana", time.time(), time.time() + 60, "stamp")
        closed: list[str] = []
        console.room.resources.add(live, name="<b>pool</b>", callback=lambda: closed.append("pool"))
        page = read(await browser.get(f"{base}/resources"))
        assert [cell.text for cell in page.one("#resources").select("td.code.grow")] == ["<b>pool</b>", "ana"]
        assert "ana" in read(await browser.get(base)).one("dl.facts").text
        (number,) = [held.id for held in console.room.directory.resources(session.id)]
        form = read(await browser.get(f"{base}/resources/{number}/closing", headers=HTMX))
        assert form.one("h2").text == "Close <b>pool</b>?"
        refused = await browser.post(f"{base}/resources/{number}/closing", data={"reason": ""}, headers=HTMX)
        assert refused.status_code == 422 and "Give a reason" in parse(refused.text).text and closed == []
        done = await browser.post(f"{base}/resources/{number}/closing", data={"reason": "leaks"}, headers=HTMX)
        assert "<b>pool</b>" in read(done).one("div.toast").text and closed == ["pool"]
        assert (await browser.get(f"{base}/resources/{number}/closing", headers=HTMX)).status_code == 404
        out = await browser.post(f"{base}/sign-out", data={"reason": "left"}, follow_redirects=False)
        assert out.status_code == 303 and live.record.signed_in is None
        shown = read(await browser.get(out.headers["location"]))
        assert "ana was signed out" in shown.text
