"""The stored keys tab: changed by an operator, seen by the tool at once, and nothing overwritten unseen."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from switchroom.server.data import SessionData
from switchroom.server.models import Role, Session
from switchroom.server.sealing import make_key
from tests.support.console import PASSWORD, Console
from tests.support.pages import HTMX, opened, read, running_pages

pytestmark = pytest.mark.anyio

SECRET = "mk-revealed-5b1"


def tab(session: Session, form: str = "") -> str:
    return f"/admin/sessions/{session.id}/keys" + (f"/{form}" if form else "")


async def store(console: Console, session: Session, key: str, value: object, **options: Any) -> None:
    live = console.room.engine.by_id[session.id]
    await SessionData(console.room.engine, live).set(key, value, **options)


async def value_of(console: Console, session: Session, key: str) -> object:
    return await SessionData(console.room.engine, console.room.engine.by_id[session.id]).get(key)


async def test_an_operator_adds_edits_times_and_deletes_a_key_without_script() -> None:
    async with running_pages() as console:
        session, browser = await opened(console), await console.signed_in()
        read(await browser.get(tab(session, "new")))
        added = await browser.post(tab(session, "new"), data={"key": "cart", "value": '{"items": ["tea"]}'})
        assert (added.status_code, added.headers["location"]) == (303, f"{tab(session)}?view=cart")
        page = read(await browser.get(added.headers["location"]))
        assert "1 key, 17 B of 4.0 MB" in page.text and '"tea"' in page.text
        form = read(await browser.get(tab(session, "value"), params={"key": "cart"}))
        assert '"items": [' in form.text
        await browser.post(tab(session, "value"), data={"key": "cart", "value": "[1]", "version": "1"})
        assert await value_of(console, session, "cart") == [1]
        timed = await browser.post(tab(session, "expiry"), data={"key": "cart", "ttl": "2h", "version": "2"})
        assert timed.status_code == 303
        stored = await console.room.directory.key(session.id, "cart")
        assert stored.expires_at is not None and 7_100 < stored.expires_at - stored.updated_at < 7_201
        assert (await browser.post(tab(session, "deletion"), data={"key": "cart", "version": "3"})).status_code == 303
        assert await value_of(console, session, "cart") is None
        actions = [entry.action for entry in await console.room.directory.audit(target=session.id)]
        assert actions == ["delete_key", "set_key_ttl", "set_key", "set_key"]


async def test_a_change_made_meanwhile_is_shown_beside_the_operators_text_and_not_overwritten() -> None:
    async with running_pages() as console:
        session, browser = await opened(console), await console.signed_in()
        await store(console, session, "cart", ["tea"])
        await store(console, session, "cart", ["theirs"])
        sent = {"key": "cart", "value": '["mine"]', "version": "1"}
        answer = await browser.post(tab(session, "value"), data=sent, headers=HTMX)
        assert answer.status_code == 409
        assert '"theirs"' in read(answer, 409).text and '["mine"]' in read(answer, 409).text
        assert 'name="version" value="2"' in answer.text and "Store mine over it" in answer.text
        assert await value_of(console, session, "cart") == ["theirs"]
        again = await browser.post(tab(session, "value"), data={**sent, "version": "2"}, headers=HTMX)
        assert again.status_code == 200 and again.headers["hx-trigger"] == "dialog:close"
        assert await value_of(console, session, "cart") == ["mine"]
        deleted = await browser.post(tab(session, "deletion"), data={"key": "cart", "version": "2"}, headers=HTMX)
        assert deleted.status_code == 409 and await value_of(console, session, "cart") == ["mine"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{\n  oops", "Line 2, column 3"),
        ("", "Line 1, column 1"),
        ("NaN", "NaN is not allowed"),
        ("[" * 100_000, "no JSON"),
        ('"' + "x" * 300_000 + '"', "at most 262,144 bytes"),
    ],
)
async def test_what_cannot_be_stored_keeps_the_text_and_says_why(value: str, said: str) -> None:
    async with running_pages() as console:
        session, browser = await opened(console), await console.signed_in()
        answer = await browser.post(tab(session, "new"), data={"key": "k", "value": value}, headers=HTMX)
        assert answer.status_code == 422 and said in answer.text
        assert await console.room.directory.keys(session.id) == []


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 201])
async def test_a_name_that_cannot_be_is_said_at_its_field(name: str) -> None:
    async with running_pages() as console:
        session, browser = await opened(console), await console.signed_in()
        answer = await browser.post(tab(session, "new"), data={"key": name, "value": "1"}, headers=HTMX)
        assert answer.status_code == 422 and "key-name-error" in answer.text


async def test_a_name_that_is_taken_is_not_overwritten() -> None:
    async with running_pages() as console:
        session, browser = await opened(console), await console.signed_in()
        await store(console, session, "k", 1)
        answer = await browser.post(tab(session, "new"), data={"key": "k", "value": "2"}, headers=HTMX)
        assert answer.status_code == 422 and "edit that one" in answer.text
        assert await value_of(console, session, "k") == 1


@pytest.mark.parametrize("ttl", ["soon", "-1s", "0", "99999999d"])
async def test_a_time_that_is_none_changes_nothing(ttl: str) -> None:
    async with running_pages() as console:
        session, browser = await opened(console), await console.signed_in()
        await store(console, session, "k", 1)
        answer = await browser.post(tab(session, "expiry"), data={"key": "k", "ttl": ttl, "version": "1"}, headers=HTMX)
        assert answer.status_code == 422 and "key-ttl-hint" in answer.text
        assert (await console.room.directory.key(session.id, "k")).version == 1


async def test_a_viewer_reads_and_changes_nothing() -> None:
    async with running_pages(secret_keys=make_key("k1")) as console:
        session, browser = await opened(console), await console.signed_in(Role.VIEWER)
        await store(console, session, "k", 1)
        page = await browser.get(tab(session), params={"view": "k"})
        assert page.status_code == 200 and "Edit…" not in page.text and "Add key…" not in page.text
        for form in ("new", "value", "expiry", "deletion", "revelation"):
            assert (await browser.get(tab(session, form), params={"key": "k"})).status_code == 403
            assert (await browser.post(tab(session, form), data={"key": "k", "value": "2"})).status_code == 403
        assert await value_of(console, session, "k") == 1


async def test_a_secret_is_named_with_its_key_and_shown_to_an_admin_after_the_password() -> None:
    async with running_pages(secret_keys=make_key("k1")) as console:
        session, browser = await opened(console), await console.signed_in(Role.ADMIN)
        await store(console, session, "token", SECRET, secret=True)
        page = await browser.get(tab(session), params={"view": "token"})
        assert "secret, key k1" in page.text and "A secret, 17 B, sealed with key k1." in page.text
        edit = await browser.get(tab(session, "value"), params={"key": "token"})
        pages = [page.text, edit.text]
        sent = {"key": "token", "password": "not the password"}
        wrong = await browser.post(tab(session, "revelation"), data=sent, headers=HTMX)
        assert wrong.status_code == 422 and "That is not the password." in wrong.text
        shown = await browser.post(tab(session, "revelation"), data={**sent, "password": PASSWORD}, headers=HTMX)
        assert shown.status_code == 200 and SECRET in shown.text
        assert shown.headers["cache-control"] == "no-store" and "hx-push-url" not in shown.headers
        pages += [wrong.text, (await browser.get(tab(session))).text]
        assert not any(SECRET in text for text in pages)
        entries = await console.room.directory.audit(action="reveal_key")
        assert [entry.outcome for entry in entries] == ["done", "refused"] and SECRET not in repr(entries)


async def test_guessing_the_password_is_bounded_like_signing_in() -> None:
    async with running_pages(secret_keys=make_key("k1")) as console:
        session, browser = await opened(console), await console.signed_in(Role.ADMIN)
        await store(console, session, "token", SECRET, secret=True)

        async def attempt(password: str) -> httpx2.Response:
            return await browser.post(
                tab(session, "revelation"), data={"key": "token", "password": password}, headers=HTMX
            )

        statuses = [(await attempt(f"guess number {number}")).status_code for number in range(8)]
        assert statuses[0] == 422 and statuses[-1] == 429
        late = await attempt(PASSWORD)
        assert late.status_code == 429 and SECRET not in late.text and "Try again in" in late.text


async def test_an_operator_replaces_a_secret_without_seeing_it() -> None:
    async with running_pages(secret_keys=make_key("k1")) as console:
        session, browser = await opened(console), await console.signed_in()
        await store(console, session, "token", SECRET, secret=True)
        page = await browser.get(tab(session), params={"view": "token"})
        assert "revealed to admins only" in page.text
        data = {"key": "token", "value": '"new"', "version": "1"}
        assert (await browser.post(tab(session, "value"), data=data)).status_code == 303
        assert await value_of(console, session, "token") == "new"
        assert (await console.room.directory.key(session.id, "token")).key_id == "k1"


async def test_a_hostile_name_and_value_stay_text() -> None:
    async with running_pages() as console:
        session, browser = await opened(console), await console.signed_in()
        name = '<img src=x onerror=alert(1)>"'
        await store(console, session, name, "</textarea><script>alert(1)</script>\u202e")
        for form in ("", "value", "expiry", "deletion"):
            answer = await browser.get(tab(session, form), params={"key": name, "view": name})
            assert "<img" not in answer.text and "<script>alert" not in answer.text
            assert "\u202e" not in answer.text
