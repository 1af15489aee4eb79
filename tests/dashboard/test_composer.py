"""The composer of broadcasts: true numbers, what each era receives, trying it first, and who is left out."""

from __future__ import annotations

import httpx2
import pytest

from switchroom.server.models import Actor, DeliveryStatus, Role
from tests.support.console import Console
from tests.support.pages import HTMX, modern_call, opened, read

pytestmark = pytest.mark.anyio


async def test_the_numbers_say_what_would_become_of_each(console: Console, browser: httpx2.AsyncClient) -> None:
    await opened(console, "a")
    await opened(console, "b")
    await modern_call(console, "echo", text="hi")
    page = read(await browser.get("/admin/broadcasts/new"))
    note = page.one("div#audience-note").text
    assert "2 sessions + 1 sessionless client." in note
    assert "2 without a stream, queued" in note and "1 not listening" in note
    sent = {"audience": "filter", "q": "client:a", "waits": "skip", "text": "hi"}
    part = read(await browser.post("/admin/broadcasts/preview", data=sent, headers=HTMX))
    assert "1 session." in part.one("div#audience-note").text and "1 skipped" in part.one("div#audience-note").text
    assert part.one("button#send").text == "Send to 1 session"


async def test_the_preview_shows_what_each_era_receives(console: Console, browser: httpx2.AsyncClient) -> None:
    sent = {"text": '{"until": "18:00"}', "format": "json", "level": "warning", "logger": "ops"}
    part = read(await browser.post("/admin/broadcasts/preview", data=sent, headers=HTMX))
    handshake, modern = part.select("pre")
    assert '"method": "notifications/message"' in handshake.text and '"until": "18:00"' in handshake.text
    assert '"logger": "ops"' in handshake.text and "switchroom://announcements" in modern.text
    broken = read(await browser.post("/admin/broadcasts/preview", data={**sent, "text": "{"}, headers=HTMX))
    assert "This is not JSON" in broken.text and not broken.select("pre")
    changed = {**sent, "method": "notifications/tools/list_changed", "text": ""}
    part = read(await browser.post("/admin/broadcasts/preview", data=changed, headers=HTMX))
    assert "tools.listChanged" in part.text


async def test_it_is_tried_on_one_session_which_is_remembered(console: Console, browser: httpx2.AsyncClient) -> None:
    mine, other = await opened(console, "mine"), await opened(console, "other")
    sent = {"text": "<b>hello</b>", "trial": mine.id, "trial_key": "t1"}
    page = read(await browser.post("/admin/broadcasts/trial", data=sent))
    assert "Tried on one session: queued." in page.text
    assert page.one("textarea#text").text == "<b>hello</b>", "the draft is still there"
    (trial,) = await console.room.directory.broadcasts()
    (receipt,) = await console.room.directory.receipts(trial.id)
    assert (trial.is_trial, receipt.session_id) == (True, mine.id)
    again = read(await browser.get("/admin/broadcasts/new"))
    chosen = [each for each in again.one("select#trial").select("option") if "selected" in each.attributes]
    assert chosen[0].attributes["value"] == mine.id != other.id
    entry = (await console.room.directory.audit(limit=1))[0]
    assert (entry.action, entry.target) == ("try_broadcast", mine.id)
    refused = read(await browser.post("/admin/broadcasts/trial", data={"text": "hello"}), 422)
    assert "Choose one session" in refused.text


async def test_who_is_left_out_gets_nothing_chosen_or_not(console: Console, browser: httpx2.AsyncClient) -> None:
    kept, out = await opened(console, "kept"), await opened(console, "out")
    for audience in ({"audience": "all"}, {"audience": "chosen", "id": [kept.id, out.id]}):
        answer = await browser.post("/admin/broadcasts", data={**audience, "exclude": "client:out", "text": "hi"})
        broadcast = await console.room.directory.broadcast(answer.headers["location"].rpartition("/")[2])
        receipts = await console.room.directory.receipts(broadcast.id)
        assert [each.session_id for each in receipts] == [kept.id]
        assert sum(broadcast.counts.values()) == broadcast.audience == 1


async def test_an_audience_that_is_not_named_is_not_everybody(console: Console, browser: httpx2.AsyncClient) -> None:
    await opened(console)
    for audience in ("chosen", "group", "filter"):
        page = read(await browser.post("/admin/broadcasts", data={"audience": audience, "text": "hi"}), 422)
        assert page.one("p.flash").text
    assert await console.room.directory.broadcasts() == []


async def test_recipients_are_paged_and_restricted_to_one_status(console: Console, browser: httpx2.AsyncClient) -> None:
    session = await opened(console, "a")
    await modern_call(console, "echo", text="hi")
    sent = await browser.post("/admin/broadcasts", data={"audience": "all", "text": "hi", "waits": "skip"})
    page = read(await browser.get(sent.headers["location"]))
    assert "1 to 2 of 2 recipients" in page.one("nav.pager").text and "Stopping does not unsend" in page.text
    skipped = read(await browser.get(sent.headers["location"], params={"status": DeliveryStatus.SKIPPED.value}))
    (row,) = skipped.one("tbody").select("tr")
    assert session.id in row.text and "no open stream" in row.text


async def test_a_receipt_names_its_client_after_the_session_has_ended(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    session = await opened(console, "short-lived")
    sent = await browser.post("/admin/broadcasts", data={"audience": "all", "text": "hi", "waits": "skip"})
    await console.room.operations.expire(Actor("ana", Role.OPERATOR), "gone", session_ids=[session.id])
    (row,) = read(await browser.get(sent.headers["location"])).one("tbody").select("tr")
    assert session.id in row.text and "short-lived" in row.text
