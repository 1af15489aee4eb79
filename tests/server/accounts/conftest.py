from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from switchroom.server.accounts import Accounts, Passwords


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "file"])
async def accounts(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Accounts]:
    path = tmp_path / "switchroom.accounts.db" if request.param == "file" else None
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    opened = Accounts(path, passwords=cheap, clock=clock)
    await opened.open()
    yield opened
    await opened.close()
