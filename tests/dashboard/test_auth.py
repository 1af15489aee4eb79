"""Signing in and out, who is let through, and how often one may try."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http.cookies import Morsel, SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from switchroom.dashboard.attempts import SignInAttempts
from switchroom.dashboard.deps import AdminActor, CurrentActor, OperatorActor, require
from switchroom.dashboard.first_run import prepare_first_run
from switchroom.dashboard.returning import safe_next
from switchroom.dashboard.urls import Urls
from switchroom.server.errors import LimitReached, StartupError
from switchroom.server.models import AuditEntry, Role
from tests.support.console import BASE, PASSWORD, SAME_ORIGIN, Console, plain_settings, running_console
from tests.support.html import Element, parse

pytestmark = pytest.mark.anyio


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    async with running_console() as running:
        _add_pages(running)
        yield running


def _add_pages(console: Console) -> None:
    """Pages as small as pages can be: what is tested is who sees them."""

    @console.app.get("/admin/sessions")
    async def page(request: Request, actor: CurrentActor) -> HTMLResponse:
        return HTMLResponse(f"<h1>{actor.name} {actor.role.value} {actor.kind} {actor.address}</h1>")

    @console.app.post("/admin/expirations", dependencies=[Depends(require(Role.OPERATOR, "expire"))])
    async def act(actor: OperatorActor) -> HTMLResponse:
        return HTMLResponse("<p>acted</p>")

    @console.app.post("/admin/settings")
    async def settings(actor: AdminActor) -> HTMLResponse:
        return HTMLResponse("<p>changed</p>")

    @console.app.get("/admin/crash")
    async def crash(actor: CurrentActor) -> HTMLResponse:
        raise RuntimeError("the secret is 1234")


async def audit(console: Console, action: str) -> list[AuditEntry]:
    return await console.room.directory.audit(action=action, limit=200)


async def sign_in(browser: httpx2.AsyncClient, name: str = "ana", password: str = PASSWORD) -> httpx2.Response:
    return await browser.post("/admin/login", data={"operator": name, "password": password})


def fields(page: Element) -> dict[str, str]:
    return {each.attributes["name"]: each.attributes.get("value", "") for each in page.select("input")}


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


async def test_a_console_without_any_password_says_how_to_get_in(console: Console) -> None:
    browser = console.browser()
    assert "one-time link" in parse((await browser.get("/admin/login")).text).one(".note").text
    await console.accounts.operators.add("ana", Role.VIEWER, PASSWORD)
    assert not parse((await browser.get("/admin/login")).text).select(".note")


# -- how often ---------------------------------------------------------------------------------


async def test_twenty_wrong_passwords_are_limited_and_recorded_and_others_sign_in(console: Console) -> None:
    await console.accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    await console.accounts.operators.add("ben", Role.OPERATOR, PASSWORD)
    browser = console.browser()
    answers = [await sign_in(browser, "ana", "wrong password here") for _ in range(20)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 15
    assert 0 < int(answers[-1].headers["retry-after"]) <= 300
    assert answers[-1].headers["retry-after"] in parse(answers[-1].text).one("#sign-in-error").text
    assert (await sign_in(console.browser(), "ben")).status_code == 303
    refused = [entry for entry in await audit(console, "sign_in") if entry.outcome == "refused"]
    assert len(refused) == 20 and {entry.target for entry in refused} == {"ana"}


async def test_what_a_stranger_typed_as_a_name_is_not_recorded(console: Console) -> None:
    await sign_in(console.browser(), "my-password-in-the-wrong-field")
    entries = await audit(console, "sign_in")
    assert [(entry.actor, entry.target) for entry in entries] == [("anonymous", "(unknown name)")]


async def test_an_attack_from_many_addresses_does_not_lock_the_operator_out(console: Console) -> None:
    await console.accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    home = console.browser(address="192.0.2.1")
    assert (await sign_in(home)).status_code == 303
    statuses = [
        (await sign_in(console.browser(address=f"198.51.100.{number}"), "ana", "wrong password here")).status_code
        for number in range(22)
    ]
    # The first sign-in came from an address that was not known then, and counted too.
    assert statuses == [401] * 19 + [429] * 3
    assert (await sign_in(console.browser(address="198.51.100.99"))).status_code == 429
    assert (await sign_in(console.browser(address="192.0.2.1"))).status_code == 303


def test_one_address_may_not_try_names_without_end() -> None:
    attempts = SignInAttempts()
    for number in range(60):
        attempts.admit(f"name-{number}", "2001:db8::1", is_known_address=False)
    with pytest.raises(LimitReached):
        # Another address of the same customer.
        attempts.admit("name", "2001:db8::ffff:1", is_known_address=False)
    attempts.admit("name", "2001:db8:0:1::1", is_known_address=False)


def test_the_right_password_forgets_the_wrong_ones_before_it() -> None:
    attempts = SignInAttempts()
    for _ in range(3):
        for _ in range(4):
            attempts.admit("ana", "192.0.2.1", is_known_address=True)
        attempts.succeeded("Ana", "192.0.2.1")


# -- one-time links ----------------------------------------------------------------------------


async def test_a_one_time_link_signs_in_by_its_button_and_only_once(console: Console) -> None:
    link = await prepare_first_run(console.accounts, console.room.settings, f"{BASE}/admin")
    assert link is not None and link.startswith(f"{BASE}/admin/login/link?token=")
    browser = console.browser()
    for _ in range(2):
        assert parse((await browser.get(link)).text).one("button").text.strip() == "Sign in as admin"
    page = parse((await browser.get(link)).text)
    token = fields(page)["token"]
    answer = await browser.post("/admin/login/link", data={"token": token})
    assert answer.status_code == 303 and answer.headers["location"] == "/admin/"
    assert (await browser.get("/admin/sessions")).text == "<h1>admin admin operator 127.0.0.1</h1>"
    again = console.browser()
    assert (await again.post("/admin/login/link", data={"token": token})).status_code == 410
    assert not parse((await again.get(link)).text).select("button")
    assert [entry.outcome for entry in await audit(console, "sign_in")] == ["refused", "done"]


async def test_a_link_is_not_used_from_another_site(console: Console) -> None:
    link = await prepare_first_run(console.accounts, console.room.settings, f"{BASE}/admin")
    assert link is not None
    token = parse_qs(urlsplit(link).query)["token"][0]
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert (await console.browser().post("/admin/login/link", data={"token": token}, headers=cross)).status_code == 403
    assert await console.accounts.links.operator_of(token)


async def test_a_server_without_a_password_prints_a_new_link_at_every_start(console: Console) -> None:
    first = await prepare_first_run(console.accounts, console.room.settings, BASE)
    second = await prepare_first_run(console.accounts, console.room.settings, BASE)
    assert first is not None and second is not None and first != second
    await console.accounts.operators.add("ana", Role.VIEWER, PASSWORD)
    assert await prepare_first_run(console.accounts, console.room.settings, BASE) is None


async def test_the_password_setting_makes_the_first_operator(console: Console) -> None:
    settings = plain_settings(admin_password=PASSWORD, host="0.0.0.0")
    assert await prepare_first_run(console.accounts, settings, BASE) is None
    browser = console.browser()
    assert (await sign_in(browser, "admin")).status_code == 303
    # An unchanged setting leaves the sign-in alone at the next start; a changed one ends it.
    await prepare_first_run(console.accounts, settings, BASE)
    assert (await browser.get("/admin/sessions")).status_code == 200
    await prepare_first_run(console.accounts, plain_settings(admin_password="another long one"), BASE)
    assert (await browser.get("/admin/sessions")).status_code == 303


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
async def test_listening_beyond_loopback_needs_an_operator_first(console: Console, host: str) -> None:
    with pytest.raises(StartupError, match="SWITCHROOM_ADMIN_PASSWORD"):
        await prepare_first_run(console.accounts, plain_settings(host=host), BASE)
    await console.accounts.operators.add("ana", Role.VIEWER, PASSWORD)
    assert await prepare_first_run(console.accounts, plain_settings(host=host), BASE) is None
    await console.accounts.operators.set_disabled("ana", True)
    with pytest.raises(StartupError, match="operators enable"):
        await prepare_first_run(console.accounts, plain_settings(host=host), BASE)
    assert await prepare_first_run(console.accounts, plain_settings(), BASE) is None


async def test_a_short_password_setting_is_refused(console: Console) -> None:
    with pytest.raises(StartupError, match="12 characters"):
        await prepare_first_run(console.accounts, plain_settings(admin_password="elevenchars"), BASE)


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


# -- where one returns -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "//evil.example", "https://evil.example", "/\\evil.example", "\\/evil", "/admin\\@evil", "javascript:alert(1)",
        "/admin/\r\nSet-Cookie: a=b", "/admin/\t", "/adminevil", "/mcp", "", " /admin/x", "/admin/x y", "/admin/é",
        "/admin/" + "x" * 3_000, "http:/admin/x", "///admin/", "/admin/login", "/admin/logout", "/admin/login/link?x",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_signing_in(text: str) -> None:
    assert safe_next(text, Urls("/admin")) == "/admin/"


@pytest.mark.parametrize("text", ["/admin/", "/admin/sessions/01J?sel=3&q=%22a%20b%22", "/admin/audit?actor=ana"])
def test_a_page_of_the_console_may_be_returned_to(text: str) -> None:
    assert safe_next(text, Urls("/admin")) == text


def test_a_console_at_the_root_returns_to_its_own_paths_only() -> None:
    assert safe_next("/sessions", Urls("")) == "/sessions"
    assert safe_next("//evil.example", Urls("")) == "/"


async def test_a_foreign_page_named_by_htmx_is_not_returned_to(console: Console) -> None:
    headers = {**SAME_ORIGIN, "HX-Request": "true", "HX-Current-URL": "https://evil.example//evil.example"}
    answer = await console.browser().get("/admin/sessions", headers=headers)
    assert answer.headers["hx-redirect"] == "/admin/login"


def _cookie(answer: httpx2.Response) -> Morsel[str]:
    jar: SimpleCookie = SimpleCookie(answer.headers["set-cookie"])
    return next(iter(jar.values()))
