"""The first sign-in: one-time links, the password setting, and what has to be there before listening."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from switchroom.dashboard.first_run import prepare_first_run
from switchroom.server.errors import StartupError
from switchroom.server.models import Role
from tests.support.console import BASE, PASSWORD, Console, plain_settings
from tests.support.html import parse
from tests.support.signing_in import add_pages, audit, fields, sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def console(api: Console) -> Console:
    add_pages(api)
    return api


async def test_a_console_without_any_password_says_how_to_get_in(console: Console) -> None:
    browser = console.browser()
    assert "one-time link" in parse((await browser.get("/admin/login")).text).one(".note").text
    await console.accounts.operators.add("ana", Role.VIEWER, PASSWORD)
    assert not parse((await browser.get("/admin/login")).text).select(".note")


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
