"""Sending messages from pages: to one session, and with the composer."""

from __future__ import annotations

import httpx2
import pytest

from tests.support.console import Console
from tests.support.pages import HTMX, form_values, opened, read

pytestmark = pytest.mark.anyio


async def test_a_message_reaches_the_receipt(console: Console, browser: httpx2.AsyncClient) -> None:
    session = await opened(console)
    path = f"/admin/sessions/{session.id}/messages"
    form = read(await browser.get(path, headers=HTMX)).one("form.sheet")
    sent = {**form_values(form), "text": "hello", "level": "info"}
    toast = read(await browser.post(path, data=sent, headers=HTMX))
    again = read(await browser.post(path, data=sent, headers=HTMX))
    receipt = toast.one("a").attributes["href"]
    assert again.one("a").attributes["href"] == receipt, "one form sends one message"
    page = read(await browser.get(receipt))
    assert page.one("p.message").text == "hello" and "1 of 1" in page.one("section#receipt").text
    assert "Queued" in page.one("table").text


async def test_an_empty_message_is_refused_in_the_form(console: Console, browser: httpx2.AsyncClient) -> None:
    session = await opened(console)
    form = read(await browser.post(f"/admin/sessions/{session.id}/messages", data={"text": " "}, headers=HTMX), 422)
    assert "Write a message" in form.one("p.error").text


async def test_the_composer_counts_its_audience_and_leads_to_the_receipt(
    console: Console, browser: httpx2.AsyncClient
) -> None:
    for name in ("a", "a", "b"):
        await opened(console, name)
    page = read(await browser.get("/admin/broadcasts/new", params={"audience": "filter", "q": "client:a"}))
    assert page.one("button#send").text == "Send to 2 sessions"
    sent = {**form_values(page.one("form#composer")), "text": "maintenance", "level": "warning", "minutes": "5"}
    answer = await browser.post("/admin/broadcasts", data=sent)
    assert answer.status_code == 303
    receipt = read(await browser.get(answer.headers["location"]))
    assert "2 of 2 settled" in receipt.one("section#receipt").text and "client:a" in receipt.text
    assert "maintenance" in read(await browser.get("/admin/broadcasts")).one("table").text


async def test_a_list_hands_over_its_filter_and_its_exceptions(console: Console, browser: httpx2.AsyncClient) -> None:
    kept, *_ = [await opened(console, name) for name in ("a", "a", "b")]
    query = {"q": "client:a", "all": "1", "except": kept.id}
    page = read(await browser.get("/admin/broadcasts/new", params=query))
    assert page.one("input#exclude").attributes["value"] == f"id:{kept.id}"
    assert page.one("button#send").text == "Send to 1 session"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"text": ""}, "Write a message"),
        ({"text": "x", "audience": "filter", "q": "clint:a"}, "did you mean"),
        ({"text": "x", "audience": "chosen", "id": ["0000000000000"]}, "None of the chosen"),
    ],
)
async def test_a_broadcast_that_cannot_be_sent_comes_back_filled_in(
    console: Console, browser: httpx2.AsyncClient, sent: dict[str, str], words: str
) -> None:
    await opened(console)
    page = read(await browser.post("/admin/broadcasts", data=sent), 422)
    assert words in page.one("form#composer").text
    assert page.one("textarea#text").text == sent["text"]
