"""The guide's troubleshooting list, looked at in a running server: what only an application can make wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastmcp import FastMCP
from fastmcp.server.auth import StaticTokenVerifier
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from pydantic import AnyHttpUrl

from switchroom.dashboard.checkup import Finding, check_up
from switchroom.dashboard.urls import Urls
from switchroom.server import token_guards
from switchroom.server.attach import Switchroom
from switchroom.server.directory import MemoryTrend
from switchroom.server.sign_in import service
from switchroom.server.tools import signing_in
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


class Tokens:
    """A token verifier that answers everybody alike."""

    def __init__(self, accepted: AccessToken | None = None, *, fails: bool = False, hangs: bool = False) -> None:
        self._accepted = accepted
        self._fails = fails
        self._hangs = hangs

    async def verify_token(self, token: str) -> AccessToken | None:
        if self._fails:
            raise ConnectionError("https://id.example refused")
        if self._hangs:
            await asyncio.Event().wait()
        return self._accepted


def guarded(tokens: Tokens, *scopes: str) -> MCPServer:
    address = AnyHttpUrl("https://id.example")
    auth = AuthSettings(
        issuer_url=address,
        resource_server_url=address,
        required_scopes=list(scopes),
        validate_token_resource=True,
    )
    return MCPServer("guarded", token_verifier=tokens, auth=auth)


@pytest.mark.parametrize(
    ("tokens", "why"),
    [
        (Tokens(fails=True), "it raises ConnectionError"),
        (Tokens(hangs=True), "does not answer within"),
        (Tokens(AccessToken(token="t", client_id="c", scopes=[])), "takes a token that was made up"),
    ],
)
async def test_a_token_verifier_that_cannot_be_right_is_found(
    tokens: Tokens, why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(token_guards, "PROBE_SECONDS", 0.05)
    async with running(guarded(tokens, "use")) as site:
        found = await finding(site.switchroom, "Authentication")
    assert not found.is_fine and why in found.why and "/mcp (Tokens)" in found.why and "id.example" not in found.why
    caplog.clear()


async def test_what_is_asked_of_tokens_is_read_from_the_servers_that_run() -> None:
    both = guarded(Tokens(), "use", "read")
    signing_in.add_to(both, scope="ops")
    async with running(both, secure_scope="unused") as site:
        site.switchroom.attach(MCPServer("open"), path="/open/mcp")
        found = await finding(site.switchroom, "Authentication")
    asked = "/mcp asks for access tokens with scope use and read, /open/mcp for none; secure_operation needs scope ops"
    assert found.is_fine and asked in found.why
    settings = guarded(Tokens())
    signing_in.add_to(settings)
    async with running(settings, secure_scope="staff") as site:
        found = await finding(site.switchroom, "Authentication")
    assert "tokens of any scope; secure_operation needs scope staff besides." in found.why
    async with checked() as (room, _):
        assert "no access tokens are asked for." in (await finding(room, "Authentication")).why


async def test_what_fastmcp_asks_of_tokens_is_read_too() -> None:
    verifier = StaticTokenVerifier({"t": {"client_id": "c", "scopes": ["read"]}}, required_scopes=["read"])
    async with running(FastMCP("fast", auth=verifier)) as site:
        found = await finding(site.switchroom, "Authentication")
    assert found.is_fine and "/mcp asks for access tokens with scope read." in found.why


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
