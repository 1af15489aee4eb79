"""API tokens, sign-ins and one-time links: what opens the door, and for how long."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchroom.server.accounts import ABSOLUTE_SECONDS, IDLE_SECONDS, LINK_SECONDS, Accounts
from switchroom.server.errors import Conflict, InvalidInput, NotFound
from switchroom.server.models import Role

from .conftest import Clock

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"


async def test_a_token_is_found_by_its_secret_until_it_is_revoked(accounts: Accounts) -> None:
    secret, made = await accounts.tokens.create("deploy", Role.OPERATOR)
    assert secret.startswith("sr_") and len(secret) == 46
    found = await accounts.tokens.find(secret)
    assert found is not None and (found.id, found.role) == (made.id, Role.OPERATOR)
    await accounts.tokens.revoke("deploy")
    assert await accounts.tokens.find(secret) is None


async def test_a_token_ends_when_its_time_is_over(accounts: Accounts, clock: Clock) -> None:
    secret, _ = await accounts.tokens.create("deploy", Role.VIEWER, expires_in=3600)
    clock.pass_(3599)
    assert await accounts.tokens.find(secret) is not None
    clock.pass_(1)
    assert await accounts.tokens.find(secret) is None


async def test_the_last_use_of_a_token_is_noted(accounts: Accounts, clock: Clock) -> None:
    secret, _ = await accounts.tokens.create("deploy", Role.VIEWER)
    assert (await accounts.tokens.all())[0].last_used_at is None
    clock.pass_(100)
    await accounts.tokens.find(secret)
    assert (await accounts.tokens.all())[0].last_used_at == clock.now


@pytest.mark.parametrize("secret", ["", "sr_", "sr_" + "x" * 43, "sr_\ud800", "sr_" + "x" * 9000, "Bearer"])
async def test_a_made_up_token_is_not_found(accounts: Accounts, secret: str) -> None:
    await accounts.tokens.create("deploy", Role.VIEWER)
    assert await accounts.tokens.find(secret) is None


async def test_tokens_of_one_name_are_revoked_by_id(accounts: Accounts) -> None:
    first, token = await accounts.tokens.create("ci", Role.VIEWER)
    second, _ = await accounts.tokens.create("ci", Role.VIEWER)
    with pytest.raises(Conflict, match=token.id):
        await accounts.tokens.revoke("ci")
    await accounts.tokens.revoke(token.id)
    assert await accounts.tokens.find(first) is None
    assert await accounts.tokens.find(second) is not None
    with pytest.raises(NotFound):
        await accounts.tokens.revoke(token.id)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 65, "\x1b[31m"])
async def test_a_token_name_that_could_forge_a_line_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(InvalidInput):
        await accounts.tokens.create(name, Role.VIEWER)


async def test_a_sign_in_ends_after_half_an_hour_without_an_act(accounts: Accounts, clock: Clock) -> None:
    await accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    secret = await accounts.sign_ins.begin("ana", "192.0.2.1")
    clock.pass_(IDLE_SECONDS - 1)
    assert await accounts.sign_ins.find(secret, touch=True) is not None
    clock.pass_(IDLE_SECONDS - 1)
    # Following a stream is not an act.
    assert await accounts.sign_ins.find(secret, touch=False) is not None
    clock.pass_(1)
    assert await accounts.sign_ins.find(secret, touch=True) is None


async def test_a_sign_in_ends_after_twelve_hours_however_busy(accounts: Accounts, clock: Clock) -> None:
    await accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    secret = await accounts.sign_ins.begin("ana", "192.0.2.1")
    for _ in range(int(ABSOLUTE_SECONDS // 600) - 1):
        clock.pass_(600)
        assert await accounts.sign_ins.find(secret, touch=True) is not None
    clock.pass_(600)
    assert await accounts.sign_ins.find(secret, touch=True) is None


async def test_a_clock_set_back_a_day_does_not_lengthen_a_sign_in(accounts: Accounts, clock: Clock) -> None:
    await accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    secret = await accounts.sign_ins.begin("ana", "192.0.2.1")
    clock.pass_(-24 * 3600)
    assert await accounts.sign_ins.find(secret, touch=True) is None


async def test_signing_out_ends_one_sign_in_only(accounts: Accounts) -> None:
    await accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    first = await accounts.sign_ins.begin("ana", "192.0.2.1")
    second = await accounts.sign_ins.begin("ana", "192.0.2.2")
    await accounts.sign_ins.end(first)
    assert await accounts.sign_ins.find(first, touch=True) is None
    assert await accounts.sign_ins.find(second, touch=True) is not None


@pytest.mark.parametrize("change", ["disable", "password"])
async def test_losing_access_ends_every_sign_in(accounts: Accounts, change: str) -> None:
    await accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    secrets = [await accounts.sign_ins.begin("ana", "192.0.2.1") for _ in range(3)]
    if change == "disable":
        await accounts.operators.set_disabled("ana", True)
        await accounts.operators.set_disabled("ana", False)
    else:
        await accounts.operators.set_password("ana", "another long password")
    assert [await accounts.sign_ins.find(secret, touch=True) for secret in secrets] == [None] * 3


async def test_only_hashes_of_secrets_are_in_the_file(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "a.db")
    await accounts.open()
    await accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    token, _ = await accounts.tokens.create("deploy", Role.VIEWER)
    secrets = [token, await accounts.sign_ins.begin("ana", "::1"), await accounts.links.create("ana"), PASSWORD]
    await accounts.close()
    content = (tmp_path / "a.db").read_bytes()
    assert b"ana" in content
    assert not [secret for secret in secrets if secret.encode() in content]


async def test_a_link_signs_in_once(accounts: Accounts) -> None:
    await accounts.operators.add("admin", Role.ADMIN)
    secret = await accounts.links.create("admin")
    assert await accounts.links.operator_of(secret)
    assert await accounts.links.consume(secret) == "admin"
    assert not await accounts.links.operator_of(secret)
    assert await accounts.links.consume(secret) is None


async def test_a_link_is_void_after_ten_minutes_or_once_replaced(accounts: Accounts, clock: Clock) -> None:
    await accounts.operators.add("admin", Role.ADMIN)
    first = await accounts.links.create("admin")
    second = await accounts.links.create("admin")
    assert await accounts.links.consume(first) is None
    clock.pass_(LINK_SECONDS)
    assert not await accounts.links.operator_of(second)
    assert await accounts.links.consume(second) is None


async def test_addresses_an_operator_signed_in_from_are_known(accounts: Accounts) -> None:
    await accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    await accounts.sign_ins.end(await accounts.sign_ins.begin("ana", "192.0.2.1"))
    assert await accounts.sign_ins.is_known_address("ana", "192.0.2.1")
    assert not await accounts.sign_ins.is_known_address("ana", "192.0.2.2")
