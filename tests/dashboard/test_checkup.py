"""The guide's troubleshooting list, looked at in a running server: what only an application can make wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from switchroom.dashboard.checkup import Finding, check_up
from switchroom.dashboard.urls import Urls
from switchroom.server.attach import Switchroom
from switchroom.server.directory import MemoryTrend
from switchroom.server.sign_in import service
from switchroom.server.tools.bundled import bundled_server
from tests.support.clients import connected
from tests.support.servers import running

pytestmark = pytest.mark.anyio


class Users:
    """A verifier that answers everybody alike."""

    def __init__(self, user: str | None = None, stamp: str | None = None, *, fails: bool = False, hangs: bool = False):
        self._answers = {"verify": user, "stamp": stamp}
        self._fails = fails
        self._hangs = hangs

    async def verify(self, username: str, password: str) -> str | None:
        if self._fails:
            raise ConnectionError("ldap://10.0.0.7 refused")
        return self._answers["verify"]

    async def stamp(self, username: str) -> str | None:
        if self._hangs:
            await asyncio.Event().wait()
        return self._answers["stamp"]


@asynccontextmanager
async def checked(**options: Any) -> AsyncGenerator[tuple[Switchroom, str]]:
    async with running(bundled_server(), options=options) as site:
        yield site.switchroom, site.url


async def finding(room: Switchroom, item: str) -> Finding:
    return next(each for each in await check_up(room, Urls("/admin")) if each.item == item)


@pytest.mark.parametrize(
    ("users", "why"),
    [
        (Users(fails=True), "it raises ConnectionError"),
        (Users(hangs=True), "does not answer within"),
        (Users("root", "1"), "lets somebody in whose name and password were made up"),
        (Users(stamp="1"), "knows a stamp for a name that was made up"),
    ],
)
async def test_a_verifier_that_cannot_be_right_is_found(
    users: Users, why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "_PROBE_SECONDS", 0.05)
    async with checked(verifier=users) as (room, _):
        found = await finding(room, "Authentication")
    assert not found.is_fine and why in found.why and "Users" in found.why and "10.0.0.7" not in found.why
    caplog.clear()


async def test_a_verifier_that_knows_nobody_whom_nobody_is_is_fine() -> None:
    async with checked(verifier=Users()) as (room, _):
        assert (await finding(room, "Authentication")).is_fine


async def test_memory_that_grows_while_sessions_do_not_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async with checked() as (room, _):
        assert "growth known after an hour" in (await finding(room, "Memory leaks")).why
        vitals = room.directory.vitals()
        leak = MemoryTrend(6.0, 900_000_000, 90_000_000, 100.0, 100.0)
        monkeypatch.setattr(room.directory, "vitals", lambda: vitals._replace(memory_trend=leak))
        found = await finding(room, "Memory leaks")
    assert not found.is_fine and "grows while the sessions do not" in found.why and "globals" in found.advice


async def test_clients_that_have_no_session_id_by_nature_are_told_of() -> None:
    async with checked() as (room, url), connected(url, mode="auto") as (client, _):
        await client.call_tool("open_session", {})
        found = await finding(room, "Session id not available")
    assert found.is_fine and "1 of them have no Mcp-Session-Id by nature" in found.why
