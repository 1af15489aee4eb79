"""How often somebody may try to sign in."""

from __future__ import annotations

import pytest

from switchroom.dashboard.attempts import SignInAttempts
from switchroom.server.errors import LimitReached
from switchroom.server.models import Role
from tests.support.console import PASSWORD, Console
from tests.support.html import parse
from tests.support.signing_in import add_pages, audit, sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def console(api: Console) -> Console:
    add_pages(api)
    return api


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
