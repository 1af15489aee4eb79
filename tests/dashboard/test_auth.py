"""Signing in and out, who is let through, and how often one may try."""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from switchroom.server.models import Role
from tests.support.console import BASE, PASSWORD, Console, running_console
from tests.support.html import parse
from tests.support.signing_in import add_pages, audit, fields, sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def console(api: Console) -> Console:
    add_pages(api)
    return api


# -- signing in --------------------------------------------------------------------------------


async def test_the_right_password_opens_the_page_that_was_asked_for(console: Console) -> None:
    await console.accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    browser = console.browser()
    sent_away = await browser.get("/admin/sessions?q=state:active&size=50")
    assert sent_away.status_code == 303
    form = await browser.get(sent_away.headers["location"])
    wanted = fields(parse(form.text))["next"]
    answer = await browser.post("/admin/login", data={"operator": "ana", "password": PASSWORD, "next": wanted})
    assert answer.status_code == 303 and answer.headers["location"] == "/admin/sessions?q=state:active&size=50"
    page = await browser.get(answer.headers["location"])
    assert page.text == "<h1>ana operator operator 127.0.0.1</h1>"


async def test_the_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts(console: Console) -> None:
    await console.accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    plain = _cookie(await sign_in(console.browser()))
    assert plain.key == "switchroom" and plain["httponly"] and plain["samesite"] == "lax" and not plain["secure"]
    secure = _cookie(await sign_in(console.browser(base="https://localhost")))
    assert secure.key == "__Host-switchroom" and secure["secure"] and secure["path"] == "/" and not secure["domain"]
    assert plain.value != secure.value and len(plain.value) == 43


async def test_the_loopback_cookie_opens_nothing_on_https(console: Console) -> None:
    await console.accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    secret = _cookie(await sign_in(console.browser())).value
    secure = console.browser(base="https://localhost")
    assert (await secure.get("/admin/sessions", headers={"Cookie": f"switchroom={secret}"})).status_code == 303
    assert (await secure.get("/admin/sessions", headers={"Cookie": f"__Host-switchroom={secret}"})).status_code == 200


@pytest.mark.parametrize("settings", [{"allowed_hosts": "console.example.org"}])
async def test_no_password_is_taken_over_plain_http_on_a_network(settings: dict[str, str]) -> None:
    async with running_console(**settings) as console:
        await console.accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
        browser = console.browser(base="http://console.example.org")
        page = parse((await browser.get("/admin/login")).text)
        assert not page.select("input[type=password]") and "https" in page.one(".note").text
        answer = await sign_in(browser)
        assert answer.status_code == 400 and "set-cookie" not in answer.headers


async def test_every_sign_in_makes_a_new_secret_and_ends_the_one_before(console: Console) -> None:
    browser = await console.signed_in()
    before = browser.cookies["switchroom"]
    await sign_in(browser)
    assert browser.cookies["switchroom"] != before
    other = console.browser()
    other.cookies.set("switchroom", before)
    assert (await other.get("/admin/sessions")).status_code == 303


async def test_a_cookie_from_before_the_sign_in_opens_nothing(console: Console) -> None:
    await console.accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    browser = console.browser()
    browser.cookies.set("switchroom", "chosen-by-somebody-else", domain="127.0.0.1", path="/")
    await sign_in(browser)
    assert (
        await console.browser().get("/admin/sessions", headers={"Cookie": "switchroom=chosen-by-somebody-else"})
    ).status_code == 303


async def test_signing_out_ends_the_sign_in_and_clears_the_cookie(console: Console) -> None:
    browser = await console.signed_in()
    secret = browser.cookies["switchroom"]
    answer = await browser.post("/admin/logout")
    assert answer.status_code == 303 and "switchroom" not in browser.cookies
    note = parse((await browser.get(answer.headers["location"])).text).one(".note")
    assert note.text.strip() == "You are signed out."
    assert (await browser.get("/admin/sessions", headers={"Cookie": f"switchroom={secret}"})).status_code == 303
    assert [entry.outcome for entry in await audit(console, "sign_out")] == ["done"]


async def test_reading_a_page_never_signs_out(console: Console) -> None:
    browser = await console.signed_in()
    assert (await browser.get("/admin/logout")).status_code == 405
    assert (await browser.get("/admin/sessions")).status_code == 200


async def test_a_signed_in_operator_is_not_asked_again(console: Console) -> None:
    browser = await console.signed_in()
    answer = await browser.get("/admin/login?next=/admin/sessions")
    assert answer.status_code == 303 and answer.headers["location"] == "/admin/sessions"


async def test_a_sign_in_that_ended_says_so_and_leads_back(console: Console) -> None:
    browser = await console.signed_in()
    await console.accounts.operators.set_password("ana", "another long password")
    answer = await browser.get("/admin/sessions")
    page = parse((await browser.get(answer.headers["location"])).text)
    assert "has ended" in page.one(".note").text
    assert fields(page)["next"] == "/admin/sessions"


@pytest.mark.parametrize("name", ["ana", "nobody", "ANA", "'; DROP TABLE operator; --", "<script>alert(1)</script>"])
async def test_a_wrong_name_and_a_wrong_password_are_answered_alike(console: Console, name: str) -> None:
    await console.accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    answer = await sign_in(console.browser(), name, "wrong password here")
    page = parse(answer.text)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
    assert page.one("#sign-in-error").text == "Wrong name or password."
    assert fields(page)["operator"] == name and all("src" in each.attributes for each in page.select("script"))
    assert "wrong password here" not in answer.text


async def test_a_disabled_operator_is_let_out_at_once_and_not_in_again(console: Console) -> None:
    browser = await console.signed_in()
    await console.accounts.operators.set_disabled("ana", True)
    assert (await browser.get("/admin/sessions")).status_code == 303
    assert (await sign_in(console.browser())).status_code == 401


@pytest.mark.parametrize(
    "data", [b"operator=ana&password=%ED%A0%80", b"operator=%00&password=%ff", b"", b"password=" + b"x" * 100_000]
)
async def test_a_malformed_form_is_refused_like_a_wrong_password(console: Console, data: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await console.browser().post("/admin/login", content=data, headers=headers)
    assert answer.status_code in (400, 401, 422)


# -- who is let through ------------------------------------------------------------------------


async def test_without_a_sign_in_each_kind_of_caller_is_told_in_its_own_way(console: Console) -> None:
    browser = console.browser()
    page = await browser.get("/admin/sessions")
    assert page.status_code == 303 and page.headers["location"] == "/admin/login?next=%2Fadmin%2Fsessions"
    part = await browser.get(
        "/admin/sessions?q=x", headers={"HX-Request": "true", "HX-Current-URL": f"{BASE}/admin/sessions?q=state:idle"}
    )
    assert part.status_code == 401
    assert parse_qs(urlsplit(part.headers["hx-redirect"]).query)["next"] == ["/admin/sessions?q=state:idle"]
    for accept in ("application/json", "text/event-stream"):
        answer = await browser.get("/admin/sessions", headers={"Accept": accept})
        assert answer.status_code == 401 and answer.json()["code"] == "not_signed_in"
    write = await browser.post("/admin/expirations")
    assert write.status_code == 303 and write.headers["location"] == "/admin/login"


@pytest.mark.parametrize(
    ("role", "act", "change"), [(Role.VIEWER, 403, 403), (Role.OPERATOR, 200, 403), (Role.ADMIN, 200, 200)]
)
async def test_each_role_may_do_what_it_may(console: Console, role: Role, act: int, change: int) -> None:
    browser = await console.signed_in(role)
    assert (await browser.get("/admin/sessions")).status_code == 200
    assert (await browser.post("/admin/expirations")).status_code == act
    assert (await browser.post("/admin/settings")).status_code == change


async def test_a_refused_action_is_recorded_once_under_its_name(console: Console) -> None:
    browser = await console.signed_in(Role.VIEWER)
    answer = await browser.post("/admin/expirations")
    assert answer.status_code == 403 and "operator" in parse(answer.text).one("main").text
    entries = await audit(console, "expire")
    assert [(entry.actor, entry.role, entry.outcome) for entry in entries] == [("ana", "viewer", "refused")]


async def test_a_token_works_without_what_browsers_send_and_is_not_a_cookie(console: Console) -> None:
    script = await console.script(Role.OPERATOR)
    assert (await script.post("/admin/expirations")).status_code == 200
    assert (await script.get("/admin/sessions")).text.startswith("<h1>script operator token")


@pytest.mark.parametrize("value", ["Bearer ", "Bearer sr_nothing", "bearer x y", "Bearer sr_" + "x" * 5_000])
async def test_a_bad_token_is_not_saved_by_a_good_cookie(console: Console, value: str) -> None:
    browser = await console.signed_in()
    answer = await browser.get("/api/v1/sessions", headers={"Authorization": value})
    assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer")


async def test_other_credentials_of_a_proxy_leave_the_cookie_valid(console: Console) -> None:
    browser = await console.signed_in()
    assert (await browser.get("/admin/sessions", headers={"Authorization": "Basic YTpi"})).status_code == 200


# -- errors ------------------------------------------------------------------------------------


async def test_an_unknown_page_is_a_page_and_a_part_is_a_part(console: Console) -> None:
    browser = await console.signed_in()
    page = await browser.get("/admin/nothing", headers={"Accept": "text/html"})
    assert page.status_code == 404 and parse(page.text).one("h1").text == "Not found"
    part = await browser.get("/admin/nothing", headers={"HX-Request": "true"})
    assert part.status_code == 404 and not parse(part.text).select("h1") and parse(part.text).select("[role=alert]")
    assert (await browser.get("/api/v1/nothing")).json()["code"] == "not_found"


async def test_a_crash_shows_a_neutral_page_with_the_security_headers(console: Console) -> None:
    browser = await console.signed_in()
    answer = await browser.get("/admin/crash", headers={"Accept": "text/html"})
    assert answer.status_code == 500 and "1234" not in answer.text and "Traceback" not in answer.text
    assert "content-security-policy" in answer.headers
    assert parse(answer.text).one("h1").text == "Internal server error"


def _cookie(answer: httpx2.Response) -> Morsel[str]:
    jar: SimpleCookie = SimpleCookie(answer.headers["set-cookie"])
    return next(iter(jar.values()))
