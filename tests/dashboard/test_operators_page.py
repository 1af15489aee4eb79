"""Who may use the console: added, given roles, shut out and let in again, by admins alone and on record."""

from __future__ import annotations

import re

import httpx2
import pytest

from switchroom.server.models import Role
from tests.support.console import PASSWORD, Console
from tests.support.html import Element
from tests.support.pages import HTMX, read

pytestmark = pytest.mark.anyio

PAGE = "/admin/operators"


@pytest.fixture
async def admin(console: Console) -> httpx2.AsyncClient:
    return await console.signed_in(Role.ADMIN, "chief")


async def page_of(browser: httpx2.AsyncClient) -> Element:
    return read(await browser.get(PAGE))


def rows(page: Element, section: str) -> list[str]:
    return [" ".join(row.text.split()) for row in page.one(f"#{section}").one("tbody").select("tr")]


async def deeds(console: Console, action: str) -> list[str]:
    return [entry.outcome for entry in await console.room.directory.audit(action=action)]


async def test_an_admin_adds_an_operator_with_a_password(console: Console, admin: httpx2.AsyncClient) -> None:
    answer = await admin.post(PAGE, data={"name": "mona", "role": "operator", "password": PASSWORD})
    assert answer.status_code == 303
    assert any(row.startswith("mona") and "may sign in" in row for row in rows(await page_of(admin), "operators"))
    browser = console.browser()
    assert (await browser.post("/admin/login", data={"operator": "mona", "password": PASSWORD})).status_code == 303
    (entry,) = await console.room.directory.audit(action="add_operator")
    assert (entry.actor, entry.target, entry.outcome) == ("chief", "mona", "done") and PASSWORD not in entry.detail


async def test_without_a_password_a_link_is_shown_once_and_signs_in_once(
    console: Console, admin: httpx2.AsyncClient
) -> None:
    made = read(await admin.post(PAGE, data={"name": "lin", "role": "viewer", "password": ""}))
    link = made.one("#secret-text").text.strip()
    assert link.startswith("http://127.0.0.1:8000/admin/login/link?token=")
    assert not (await page_of(admin)).select("#secret-text")
    stranger = console.browser()
    shown = read(await stranger.get(link))
    assert "lin" in shown.one("form").text
    token = link.split("token=")[1]
    assert (await stranger.post("/admin/login/link", data={"token": token})).status_code == 303
    assert "Set a password" in read(await stranger.get("/admin/account")).text
    assert (await console.browser().post("/admin/login/link", data={"token": token})).status_code == 410


async def test_a_name_that_is_taken_keeps_what_was_typed(admin: httpx2.AsyncClient) -> None:
    refused = read(await admin.post(PAGE, data={"name": "chief", "role": "operator", "password": PASSWORD}), 422)
    assert "already" in refused.one("#operator-error").text
    assert refused.one("#new-name").attributes["value"] == "chief"


async def test_a_role_holds_at_once(console: Console, admin: httpx2.AsyncClient) -> None:
    browser = await console.signed_in(Role.VIEWER, "ada")
    assert (await browser.get(PAGE)).status_code == 403
    assert (await admin.post("/admin/operators/ada/role", data={"role": "admin"})).status_code == 303
    assert (await browser.get(PAGE)).status_code == 200


async def test_disabling_asks_for_a_reason_and_ends_every_sign_in(console: Console, admin: httpx2.AsyncClient) -> None:
    browser = await console.signed_in(Role.OPERATOR, "ada")
    path = "/admin/operators/ada/disabling"
    assert "ada" in read(await admin.get(path, headers=HTMX)).one("h2").text
    assert "reason" in read(await admin.post(path, data={"reason": " "}, headers=HTMX), 422).one("[role=alert]").text
    assert (await browser.get("/admin/sessions")).status_code == 200
    done = await admin.post(path, data={"reason": "left the company"}, headers=HTMX)
    assert done.status_code == 204 and done.headers["hx-redirect"] == PAGE
    assert (await browser.get("/admin/sessions")).status_code == 303
    assert (await admin.post("/admin/operators/ada/enabling")).status_code == 303
    again = await console.browser().post("/admin/login", data={"operator": "ada", "password": PASSWORD})
    assert again.status_code == 303
    assert await deeds(console, "disable_operator") == ["done", "failed"]


async def test_nobody_locks_everybody_out(console: Console, admin: httpx2.AsyncClient) -> None:
    demoted = read(await admin.post("/admin/operators/chief/role", data={"role": "viewer"}), 422)
    assert "last admin" in demoted.text
    disabled = await admin.post("/admin/operators/chief/disabling", data={"reason": "x"}, headers=HTMX)
    assert disabled.status_code == 422 and "yourself" in disabled.text
    script = await console.script(Role.ADMIN, "deploys")
    answer = await script.post("/api/v1/operators/chief/disabling", json={"reason": "x"})
    assert answer.status_code == 409 and "last admin" in answer.json()["detail"]
    assert (await admin.get(PAGE)).status_code == 200


async def test_a_token_is_shown_once_works_and_is_revoked(console: Console, admin: httpx2.AsyncClient) -> None:
    made = read(await admin.post("/admin/tokens", data={"name": "deploys", "role": "viewer", "days": "7"}))
    secret = made.one("#secret-text").text.strip()
    assert secret.startswith("sr_") and secret not in (await admin.get(PAGE)).text
    bearer = {"Authorization": f"Bearer {secret}"}
    assert (await console.browser().get("/api/v1/sessions", headers=bearer)).status_code == 200
    page = await page_of(admin)
    (row,) = rows(page, "tokens")
    assert "deploys" in row and "6d" in row and "0s" in row
    token_id = page.one("#tokens").one("td.code").text.strip()
    gone = await admin.post(f"/admin/tokens/{token_id}/revocation", data={"reason": "leaked"})
    assert gone.status_code == 303
    assert (await console.browser().get("/api/v1/sessions", headers=bearer)).status_code == 401
    for entry in await console.room.directory.audit():
        assert secret not in entry.detail + entry.target + entry.reason


@pytest.mark.parametrize("days", ["0", "-1", "x", "99999", "1.5"])
async def test_odd_times_of_a_token_are_refused(admin: httpx2.AsyncClient, days: str) -> None:
    refused = read(await admin.post("/admin/tokens", data={"name": "t", "role": "viewer", "days": days}), 422)
    assert "days" in refused.one("#token-error").text


async def test_a_sign_in_is_listed_and_ended(console: Console, admin: httpx2.AsyncClient) -> None:
    browser = await console.signed_in(Role.OPERATOR, "ada")
    page = await page_of(admin)
    assert len(rows(page, "sign-ins")) == 2 and "this browser" in page.one("#sign-ins").text
    ada = next(row for row in page.one("#sign-ins").one("tbody").select("tr") if "ada" in row.text)
    path = ada.one("a").attributes["href"]
    assert re.fullmatch(r"/admin/sign-ins/[0-9a-f]{16}/ending", path)
    assert (await admin.post(path, data={"reason": "lost laptop"})).status_code == 303
    assert (await browser.get("/admin/sessions")).status_code == 303
    assert (await admin.get("/admin/sessions")).status_code == 200
    assert (await admin.post(path, data={"reason": "again"})).status_code == 404


async def test_everybody_changes_their_own_password_and_other_browsers_are_signed_out(console: Console) -> None:
    browser = await console.signed_in(Role.VIEWER, "ada")
    other = console.browser()
    await other.post("/admin/login", data={"operator": "ada", "password": PASSWORD})
    wrong = await browser.post("/admin/account/password", data={"present": "guess", "password": "a new one, longer"})
    assert read(wrong, 422).one("#present-error").text
    short = await browser.post("/admin/account/password", data={"present": PASSWORD, "password": "short"})
    assert "12" in read(short, 422).one("#password-error").text
    done = await browser.post("/admin/account/password", data={"present": PASSWORD, "password": "a new one, longer"})
    assert done.status_code == 303
    assert (await browser.get("/admin/account")).status_code == 200
    assert (await other.get("/admin/account")).status_code == 303
    assert await deeds(console, "change_password") == ["done", "failed", "failed"]


async def test_a_password_cannot_be_guessed_through_the_account_page(console: Console) -> None:
    browser = await console.signed_in(Role.VIEWER, "ada")
    statuses = [
        (
            await browser.post("/admin/account/password", data={"present": f"guess {n}", "password": "x" * 12})
        ).status_code
        for n in range(7)
    ]
    assert statuses[0] == 422 and statuses[-1] == 429


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_nobody_but_admins_sees_or_changes_any_of_it(console: Console, role: Role) -> None:
    browser = await console.signed_in(role, "ada")
    assert "Operators" not in read(await browser.get("/admin/")).one("#rail").text
    for path in (PAGE, "/admin/operators/ada/disabling", "/admin/tokens/1/revocation", "/admin/sign-ins/1/ending"):
        assert (await browser.get(path)).status_code == 403, path
    for path in (PAGE, "/admin/operators/ada/role", "/admin/operators/ada/links", "/admin/tokens"):
        answer = await browser.post(path, data={"name": "eve", "role": "admin", "reason": "x"})
        assert answer.status_code == 403, path
    assert (await console.accounts.operators.named("ada")).role is role
    assert await console.accounts.tokens.all() == []


async def test_the_api_does_the_same(console: Console) -> None:
    script = await console.script(Role.ADMIN, "deploys")
    added = (await script.post("/api/v1/operators", json={"name": "mona", "role": "operator"})).json()
    assert added["link"].startswith("/admin/login/link?token=") and not added["has_password"]
    assert (await script.put("/api/v1/operators/mona/role", json={"role": "viewer"})).json()["role"] == "viewer"
    linked = await script.post("/api/v1/operators/mona/links")
    assert linked.status_code == 201 and linked.json()["link"] != added["link"]
    shut = await script.post("/api/v1/operators/mona/disabling", json={"reason": "left"})
    assert shut.json()["is_disabled"] is True
    assert (await script.post("/api/v1/operators/mona/links")).status_code == 409
    assert (await script.post("/api/v1/operators/mona/enabling")).json()["is_disabled"] is False
    token = (await script.post("/api/v1/tokens", json={"name": "t", "role": "viewer", "expires_in_seconds": 60})).json()
    assert token["secret"].startswith("sr_") and token["expires_at"]
    listed = (await script.get("/api/v1/tokens")).json()["items"]
    assert {each["name"] for each in listed} == {"deploys", "t"} and all("secret" not in each for each in listed)
    gone = await script.post(f"/api/v1/tokens/{token['id']}/revocation", json={"reason": "test"})
    assert gone.json()["is_valid"] is False
    await console.signed_in(Role.OPERATOR, "ada")
    (visit,) = (await script.get("/api/v1/sign-ins")).json()["items"]
    assert (await script.post(f"/api/v1/sign-ins/{visit['id']}/ending", json={"reason": "test"})).status_code == 200
    assert (await script.get("/api/v1/sign-ins")).json()["items"] == []
    assert {each["name"] for each in (await script.get("/api/v1/operators")).json()["items"]} == {"mona", "ada"}
