"""Whose session it is: principals, tokens that expire, and servers side by side."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from switchroom.server import Settings
from switchroom.server.attach import switchroom
from switchroom.server.directory import Verdict
from switchroom.server.engine.refusals import MAX_REFUSALS
from tests.support.guards import Tokens, guarded_toolbox
from tests.support.servers import running, serving
from tests.support.toolbox import Toolbox
from tests.support.wire import Answer, client, session, text_of

pytestmark = pytest.mark.anyio


def is_plain_404(answer: Answer) -> bool:
    return answer.status == 404 and answer.last["error"] == {"code": -32600, "message": "Session not found"}


async def test_another_principals_session_is_answered_as_an_unknown_one() -> None:
    tokens = Tokens()
    mine, theirs = tokens.issue("mine", "ann"), tokens.issue("theirs", "bob")
    async with running(guarded_toolbox(tokens).mcp) as site, session(site.url, token=mine) as wire:
        await wire.call("tell", text="for ann")
        async with client(site.url, token=theirs) as thief:
            thief.session_id, thief.version = wire.session_id, wire.version
            assert is_plain_404(await thief.call("echo", text="hi"))
            assert is_plain_404(await thief.call("echo", text="hi", id="x"))
            assert (await thief.refused_get()).json()["error"]["message"] == "Session not found"
            assert (await thief.delete()).status_code == 404
            assert (await thief.cancel(1)).status == 404
            await wire.delete()
            assert is_plain_404(await thief.call("echo", text="hi"))
        told = await wire.call("echo", text="hi")
        assert "closed by its client" in told.last["error"]["message"]


async def test_operators_see_whose_refused_sessions_are_and_who_asked_for_them() -> None:
    tokens = Tokens()
    mine, theirs = tokens.issue("mine", "ann"), tokens.issue("theirs", "bob")
    async with running(guarded_toolbox(tokens).mcp) as site, session(site.url, token=mine) as wire:
        async with client(site.url, token=theirs) as thief:
            thief.session_id, thief.version = wire.session_id, wire.version
            assert is_plain_404(await thief.call("echo", text="hi"))
        (refusal,) = site.switchroom.directory.refusals()
        assert (refusal.verdict, refusal.principal, refusal.times) == (Verdict.OTHER_PRINCIPAL, "bob", 1)
        assert "belongs to another principal, ann, and was sent by bob" in refusal.sentence
        found = await site.switchroom.directory.diagnose(wire.session_id or "")
        assert found.verdict is Verdict.LIVE and "was sent by bob" in found.sentence
        await wire.delete()
        async with client(site.url, token=theirs) as thief:
            thief.session_id, thief.version = wire.session_id, wire.version
            assert is_plain_404(await thief.call("echo", text="hi"))
            await site.switchroom.store.sessions.sweep(time.time() + 25 * 3600)
            assert is_plain_404(await thief.call("echo", text="hi"))
        assert site.switchroom.directory.refusals()[0].verdict is Verdict.OTHER_PRINCIPAL
        told = await wire.call("echo", text="hi")
        assert "closed by its client" in told.last["error"]["message"]
        assert site.switchroom.directory.refusals()[0].verdict is Verdict.ENDED


async def test_only_the_latest_refused_ids_are_kept() -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        wire.version = "2025-11-25"
        for number in range(MAX_REFUSALS + 5):
            wire.session_id = f"{number:08}-made-up"
            assert is_plain_404(await wire.call("echo", text="hi"))
        kept = site.switchroom.directory.refusals()
        assert len(kept) == MAX_REFUSALS
        assert kept[0].prefix == f"{MAX_REFUSALS + 4:08}" and kept[-1].prefix == "00000005"


@pytest.mark.parametrize("other", [{"client_id": "other app"}, {"issuer": "https://elsewhere.example"}])
async def test_a_principal_is_issuer_client_and_subject_together(other: dict[str, str]) -> None:
    tokens = Tokens()
    mine, namesake = tokens.issue("mine", "ann"), tokens.issue("namesake", "ann", **other)
    async with running(guarded_toolbox(tokens).mcp) as site, session(site.url, token=mine) as wire:
        async with client(site.url, token=namesake) as thief:
            thief.session_id = wire.session_id
            assert is_plain_404(await thief.call("echo", text="hi"))


async def test_a_refreshed_token_of_the_same_principal_goes_on_with_the_session() -> None:
    tokens = Tokens()
    async with running(guarded_toolbox(tokens).mcp) as site:
        async with session(site.url, token=tokens.issue("first", "ann")) as wire:
            del tokens.known["first"]
            async with client(site.url, token=tokens.issue("second", "ann")) as again:
                again.session_id = wire.session_id
                assert text_of((await again.call("echo", text="same me")).last) == "same me"
            assert (await wire.call("echo", text="hi", id=1)).status == 401
            assert site.switchroom.engine.describe(site.live()).principal == "ann"


async def test_requests_without_a_token_are_401_and_leave_nothing() -> None:
    async with running(guarded_toolbox(Tokens()).mcp) as site, client(site.url) as wire:
        response = await wire.http.post(site.url, json={}, headers=wire.headers())
        assert response.status_code == 401
        assert site.switchroom.engine.by_id == {}


async def test_a_token_that_expires_ends_the_stream_it_opened_and_not_the_session() -> None:
    tokens = Tokens()
    token = tokens.issue("short", "ann")
    async with running(guarded_toolbox(tokens).mcp, ping_seconds=0.05) as site, session(site.url, token=token) as wire:
        async with wire.listening() as stream:
            await stream.next()
            tokens.known["short"].expires_at = int(time.time()) - 1
            assert await stream.rest() == []
        async with client(site.url, token=tokens.issue("fresh", "ann")) as again:
            again.session_id, again.version = wire.session_id, wire.version
            async with again.listening(stream.last_id) as resumed:
                await resumed.next()
                await again.call("tell", text="still here")
                assert (await resumed.message())["params"]["data"] == "still here"


async def test_a_token_that_expires_ends_a_busy_stream_as_well() -> None:
    tokens = Tokens()
    token = tokens.issue("short", "ann")
    async with running(guarded_toolbox(tokens).mcp, ping_seconds=60) as site, session(site.url, token=token) as wire:
        async with wire.listening() as stream:
            await stream.next()
            tokens.known["short"].expires_at = int(time.time()) - 1
            live = site.live()
            await live.resident.connection.outbound.notify("notifications/message", {"level": "info", "data": "secret"})
            assert await stream.rest() == []


async def test_sessions_of_two_servers_in_one_process_stay_apart() -> None:
    """An id of one server is unknown to the other, whatever became of it."""
    built = switchroom(Settings(db="memory:"))
    apps = [built.attach(Toolbox().mcp) for _ in range(2)]
    outer = Starlette(routes=[Mount("/a", apps[0]), Mount("/b", apps[1])], lifespan=both(apps))
    async with serving(outer, before_stop=built.engine.drain) as base:
        async with session(f"{base}/a/mcp") as wire, client(f"{base}/b/mcp") as other:
            other.session_id = wire.session_id
            assert is_plain_404(await other.call("echo", text="hi"))
            await wire.delete()
            assert is_plain_404(await other.call("echo", text="hi"))
            (refusal,) = built.directory.refusals()
            assert (refusal.verdict, refusal.times) == (Verdict.OTHER_SERVER, 2)
            assert "on toolbox belongs to that server, and was sent to toolbox-2" in refusal.sentence
            assert sorted(built.directory.server_names) == ["toolbox", "toolbox-2"]


def both(apps: list[Starlette]) -> Any:
    """Return a lifespan that runs the lifespans of several apps."""

    @asynccontextmanager
    async def lifespan(outer: Starlette) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            for app in apps:
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    return lifespan
