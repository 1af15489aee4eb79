"""`secure_login`, `secure_operation`, `logout`: by real clients of both eras."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from switchroom.server.engine.sweeper import Sweeper
from switchroom.server.models import Actor, EventKind, Role
from switchroom.server.operations.results import SignInEnded
from switchroom.server.sign_in import UserVerifier
from switchroom.server.store import EventQuery
from switchroom.server.tools.bundled import bundled_server
from tests.support.authorization import authorization_server, oauth
from tests.support.clients import connected, text_of
from tests.support.examples import load
from tests.support.servers import Site, listening_socket, running
from tests.support.source import ROOT
from tests.support.users import PASSWORD, users_file, with_ana
from tests.support.wire import session

pytestmark = pytest.mark.anyio

ERAS = ["legacy", "auto"]
OPERATOR = Actor("olga", Role.OPERATOR)
NOT_SIGNED_IN = "Session not authenticated. Call secure_login first."


class Caller(NamedTuple):
    """A client with its session."""

    client: Client
    own: dict[str, Any]

    async def call(self, tool: str, **arguments: Any) -> str:
        """Return the text of the answer, without what the SDK puts before an error."""
        result = await self.client.call_tool(tool, {**self.own, **arguments})
        return text_of(result).removeprefix(f"Error executing tool {tool}: ")

    async def login(self, password: str = PASSWORD, username: str = "ana") -> str:
        return await self.call("secure_login", username=username, password=password)

    async def operate(self) -> str:
        return await self.call("secure_operation", action="restart")


@asynccontextmanager
async def caller(url: str, era: str) -> AsyncGenerator[Caller]:
    async with connected(url, mode=era) as (client, _):
        own = {"session_id": text_of(await client.call_tool("open_session", {}))} if era == "auto" else {}
        yield Caller(client, own)


@asynccontextmanager
async def site_with_ana(folder: Path, **options: Any) -> AsyncGenerator[Site]:
    users = await with_ana(folder)
    async with running(bundled_server(), users_file=str(users.path), **options) as site:
        yield site


def session_of(site: Site) -> Any:
    """Return the session that is signed in, or was opened last."""
    return list(site.switchroom.engine.live())[-1]


async def lifecycle(site: Site, session_id: str) -> list[str]:
    page = await site.switchroom.directory.events(session_id, EventQuery(kinds=(EventKind.LIFECYCLE,), limit=100))
    return [str(event.method) for event in page.events]


@pytest.mark.parametrize("era", ERAS)
async def test_a_session_signs_in_acts_and_signs_out(tmp_path: Path, era: str) -> None:
    async with site_with_ana(tmp_path) as site, caller(site.url, era) as ana:
        assert await ana.operate() == NOT_SIGNED_IN
        assert await ana.login() == "Authenticated as ana"
        assert await ana.operate() == "Executed secure action: restart"
        shown = await site.switchroom.directory.session(session_of(site).record.id)
        assert shown.signed_in is not None and shown.signed_in.user == "ana"
        assert await ana.call("logout") == "Logged out successfully"
        assert await ana.operate() == NOT_SIGNED_IN
        assert await ana.call("logout") == "Nobody was signed in"
        assert {"signed_in", "signed_out"} < set(await lifecycle(site, shown.id))


@pytest.mark.parametrize("era", ERAS)
async def test_a_sign_in_belongs_to_its_session_alone(tmp_path: Path, era: str) -> None:
    async with site_with_ana(tmp_path) as site, caller(site.url, era) as ana, caller(site.url, era) as other:
        await ana.login()
        assert await other.operate() == NOT_SIGNED_IN


async def test_a_client_of_the_newer_era_without_a_handle_is_told_what_to_do(tmp_path: Path) -> None:
    async with site_with_ana(tmp_path) as site, connected(site.url, mode="auto") as (client, _):
        answer = await Caller(client, {}).login()
    assert "call open_session first" in answer


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(tmp_path: Path) -> None:
    async with site_with_ana(tmp_path) as site, caller(site.url, "legacy") as ana:
        assert await ana.login("wrong password") == await ana.login(username="nobody") == "Invalid credentials"
        longest = "x" * 1_024
        assert await ana.login(longest) == await ana.login(longest, username="nobody") == "Invalid credentials"
        assert await ana.operate() == NOT_SIGNED_IN


async def test_the_sixth_attempt_in_a_session_has_to_wait_and_other_sessions_do_not(tmp_path: Path) -> None:
    async with site_with_ana(tmp_path) as site, caller(site.url, "legacy") as ana, caller(site.url, "auto") as other:
        for _ in range(5):
            assert await ana.login("wrong password") == "Invalid credentials"
        assert (await ana.login()).startswith("Too many attempts to sign in. Try again in ")
        assert await other.login() == "Authenticated as ana"


async def test_a_name_is_guessed_at_twenty_times_from_whatever_sessions(tmp_path: Path) -> None:
    async with site_with_ana(tmp_path) as site:
        for _ in range(4):
            async with caller(site.url, "legacy") as thief:
                answers = {await thief.login(f"guess {number} of many") for number in range(5)}
                assert answers == {"Invalid credentials"}
        async with caller(site.url, "legacy") as thief:
            assert (await thief.login()).startswith("Too many attempts")
            assert await thief.login(username="bob") == "Invalid credentials"


@pytest.mark.parametrize("era", ERAS)
async def test_a_new_password_or_a_removed_user_ends_the_sign_in(tmp_path: Path, era: str) -> None:
    async with site_with_ana(tmp_path) as site, caller(site.url, era) as ana:
        await ana.login()
        await users_file(tmp_path).set_password("ana", "another password")
        assert await ana.operate() == NOT_SIGNED_IN
        await ana.login("another password")
        users_file(tmp_path).remove("ana")
        await site.switchroom.sign_ins.review()
        assert session_of(site).record.signed_in is None


@pytest.mark.parametrize("era", ERAS)
async def test_a_sign_in_ends_when_its_time_is_up(tmp_path: Path, era: str) -> None:
    async with site_with_ana(tmp_path, sign_in_seconds=3600) as site, caller(site.url, era) as ana:
        await ana.login()
        record = session_of(site).record
        assert 3590 < record.signed_in.expires_at - time.time() <= 3600
        record.signed_in = record.signed_in._replace(expires_at=time.time() - 1)
        assert await ana.operate() == NOT_SIGNED_IN
        assert record.signed_in is None


async def test_a_sign_in_survives_hibernation_and_a_restart_as_its_session_does(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/switchroom.db"
    async with site_with_ana(tmp_path, db=db) as site, session(site.url) as wire:
        await wire.call("secure_login", username="ana", password=PASSWORD)
        await Sweeper(site.switchroom.engine).sweep(time.monotonic() + 600)
        assert session_of(site).resident is None
        done = await wire.call("secure_operation", action="restart")
        assert done.last["result"]["content"][0]["text"] == "Executed secure action: restart"
        kept = wire.session_id
    async with running(bundled_server(), db=db, users_file=str(tmp_path / "users.json")) as site:
        async with session(site.url) as again:
            again.session_id = kept
            done = await again.call("secure_operation", action="restart")
            assert done.last["result"]["content"][0]["text"] == "Executed secure action: restart"


async def test_a_handle_stays_signed_in_over_quiet_times_and_a_restart(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/switchroom.db"
    async with site_with_ana(tmp_path, db=db) as site, caller(site.url, "auto") as ana:
        await ana.login()
        await Sweeper(site.switchroom.engine).sweep(time.monotonic() + 600)
        assert await ana.operate() == "Executed secure action: restart"
    async with running(bundled_server(), db=db, users_file=str(tmp_path / "users.json")) as site:
        async with connected(site.url, mode="auto") as (client, _):
            assert await Caller(client, ana.own).operate() == "Executed secure action: restart"
            assert await Caller(client, ana.own).call("logout") == "Logged out successfully"


@pytest.mark.parametrize("era", ERAS)
async def test_an_operator_ends_a_sign_in_and_the_audit_log_says_whose(tmp_path: Path, era: str) -> None:
    async with site_with_ana(tmp_path) as site, caller(site.url, era) as ana:
        await ana.login()
        room, session_id = site.switchroom, session_of(site).record.id
        ended = await room.operations.end_sign_in(OPERATOR, session_id, "laptop stolen")
        assert ended.user == "ana"
        assert await ana.operate() == NOT_SIGNED_IN
        assert await room.operations.end_sign_in(OPERATOR, session_id, "again") == SignInEnded(
            (await room.directory.audit(limit=1))[0].action_id, None
        )
        entry = await room.directory.audit_entry(ended.action_id)
        assert (entry.action, entry.outcome, entry.reason) == ("end_sign_in", "done", "laptop stolen")
        assert '"user": "ana"' in entry.detail


class Broken:
    """A verifier whose directory is away."""

    async def verify(self, username: str, password: str) -> str | None:
        raise ConnectionError("ldap://10.0.0.7 refused")

    async def stamp(self, username: str) -> str | None:
        return "1"


async def test_a_verifier_that_fails_lets_nobody_in_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    broken: UserVerifier = Broken()
    async with running(bundled_server(), options={"verifier": broken}) as site, caller(site.url, "legacy") as ana:
        answer = await ana.login()
    assert answer == "Signing in does not work at the moment. Ask the operator of this server."
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "the users could not be asked"
    ]
    caplog.clear()


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("scopes", "expected"), [(["use", "ops"], "Executed"), (["use"], "Insufficient permissions")])
async def test_a_protected_server_asks_for_the_scope_too(
    tmp_path: Path, era: str, scopes: list[str], expected: str
) -> None:
    users = await with_ana(tmp_path)
    async with authorization_server(scopes) as (issuer, provider):
        bound = listening_socket()
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/mcp"
        mcp = load(ROOT / "docs" / "examples" / "protected.py").protected(issuer, url)
        async with running(mcp, users_file=str(users.path), bound=bound) as site:
            async with httpx2.AsyncClient(auth=oauth(site.url)) as http:
                async with Client(streamable_http_client(site.url, http_client=http), mode=era) as client:
                    own = {"session_id": text_of(await client.call_tool("open_session", {}))} if era == "auto" else {}
                    ana = Caller(client, own)
                    assert await ana.operate() == NOT_SIGNED_IN
                    assert await ana.login() == "Authenticated as ana"
                    assert (await ana.operate()).startswith(expected)
                    assert session_of(site).record.principal == "ann"
            (token,) = provider.tokens.values()
            assert set(token.scopes) == set(scopes)
