from __future__ import annotations

import asyncio
from collections import Counter
from typing import Literal

import pytest
from argon2 import PasswordHasher

from switchroom.server.accounts import Accounts, Passwords
from switchroom.server.accounts.passwords import Verified
from switchroom.server.errors import Conflict, InvalidInput, NotFound
from switchroom.server.models import Role

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"


async def test_the_right_password_authenticates_and_a_wrong_one_does_not(accounts: Accounts) -> None:
    await accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    right = await accounts.operators.authenticate("ANA", PASSWORD)
    assert right.operator is not None and right.operator.name == "ana" and right.operator.role is Role.OPERATOR
    wrong = await accounts.operators.authenticate("ana", "something else entirely")
    assert wrong == (True, None)


@pytest.mark.parametrize("name", ["nobody", "", "a" * 100, "\ud800", "ana\0", "' OR 1=1 --"])
async def test_an_unknown_name_costs_one_hash_as_well(name: str) -> None:
    passwords = CountingPasswords()
    accounts = Accounts(None, passwords=passwords)
    await accounts.open()
    assert await accounts.operators.authenticate(name, PASSWORD) == (False, None)
    assert passwords.calls["verify"] == 1
    await accounts.close()


async def test_an_operator_without_a_password_cannot_authenticate(accounts: Accounts) -> None:
    operator = await accounts.operators.add("admin", Role.ADMIN)
    assert not operator.has_password
    assert (await accounts.operators.authenticate("admin", "")).operator is None


async def test_a_disabled_operator_cannot_authenticate_until_enabled(accounts: Accounts) -> None:
    await accounts.operators.add("ana", Role.OPERATOR, PASSWORD)
    assert (await accounts.operators.set_disabled("ana", True)).is_disabled
    assert (await accounts.operators.authenticate("ana", PASSWORD)).operator is None
    await accounts.operators.set_disabled("ana", False)
    assert (await accounts.operators.authenticate("ana", PASSWORD)).operator is not None


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1025])
async def test_a_password_out_of_bounds_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(InvalidInput):
        await accounts.operators.add("ana", Role.OPERATOR, password)
    assert await accounts.operators.all() == []


async def test_a_password_matches_however_its_letters_were_composed(accounts: Accounts) -> None:
    await accounts.operators.add("ana", Role.OPERATOR, "caf\u00e9 caf\u00e9 caf\u00e9")
    assert (await accounts.operators.authenticate("ana", "cafe\u0301 cafe\u0301 cafe\u0301")).operator is not None


@pytest.mark.parametrize("name", ["", "a b", "-a", "a" * 65, "é", "<b>", "a\n"])
async def test_a_name_that_could_mislead_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(InvalidInput):
        await accounts.operators.add(name, Role.VIEWER, PASSWORD)


async def test_names_are_unique_whatever_their_case(accounts: Accounts) -> None:
    await accounts.operators.add("ana", Role.VIEWER, PASSWORD)
    with pytest.raises(Conflict):
        await accounts.operators.add("Ana", Role.ADMIN, PASSWORD)


async def test_an_unknown_operator_is_named_in_the_error(accounts: Accounts) -> None:
    with pytest.raises(NotFound, match="ana"):
        await accounts.operators.set_password("ana", PASSWORD)


async def test_a_new_password_replaces_the_old_one(accounts: Accounts) -> None:
    await accounts.operators.add("ana", Role.VIEWER, PASSWORD)
    await accounts.operators.set_password("ana", "a much better one")
    assert (await accounts.operators.authenticate("ana", PASSWORD)).operator is None
    assert (await accounts.operators.authenticate("ana", "a much better one")).operator is not None


async def test_a_hash_made_with_weaker_parameters_is_replaced_at_the_next_sign_in() -> None:
    accounts = Accounts(None, passwords=Passwords(_cheap(time_cost=1)))
    await accounts.open()
    await accounts.operators.add("ana", Role.VIEWER, PASSWORD)
    stronger = Passwords(_cheap(time_cost=2))
    accounts.operators._passwords = stronger  # pyright: ignore[reportPrivateUsage]
    assert (await accounts.operators.authenticate("ana", PASSWORD)).operator is not None
    row = await accounts.operators._database.read(  # pyright: ignore[reportPrivateUsage]
        lambda c: c.execute("SELECT password FROM operator").fetchone()
    )
    assert "t=2" in row[0]
    await accounts.close()


async def test_never_more_than_two_hashes_are_computed_at_once() -> None:
    hasher = BusyHasher()
    passwords = Passwords(hasher)
    async with asyncio.timeout(10):
        await asyncio.gather(*(passwords.verify(None, PASSWORD) for _ in range(8)))
    assert hasher.most == 2


def _cheap(*, time_cost: int = 1) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=8, parallelism=1)


class CountingPasswords(Passwords):
    def __init__(self) -> None:
        super().__init__(_cheap())
        self.calls: Counter[str] = Counter()

    async def verify(self, encoded: str | None, password: str) -> Verified:
        self.calls["verify"] += 1
        return await super().verify(encoded, password)


class BusyHasher(PasswordHasher):
    def __init__(self) -> None:
        super().__init__(time_cost=20, memory_cost=1024, parallelism=1)
        self.now = self.most = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return super().verify(hash, password)
        finally:
            self.now -= 1
