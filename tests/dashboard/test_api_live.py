"""The stream of changes: one coalesced frame at a time, resumable, and only while it may be read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Any, cast

import anyio
import anyio.lowlevel
import httpx2
import pytest

from switchroom.dashboard.api.live import BYE, MAX_SESSIONS, Frame, SessionChanges, frames
from switchroom.dashboard.followers import Followers, Permission
from switchroom.server.errors import LimitReached, StoreUnavailable
from switchroom.server.filters import parse_filter
from switchroom.server.models import Actor, Role
from tests.support.console import Console
from tests.support.servers import serving

pytestmark = pytest.mark.anyio

ANA = Actor("ana", Role.VIEWER)


async def always() -> Actor:
    return ANA


def follow(
    api: Console, last_id: str = "", *, query: str = "", permission: Permission | None = None, hb: float = 5.0
) -> AsyncGenerator[Frame]:
    """Return a follower's frames, as fast as they come."""
    changes = SessionChanges(api.room.directory, parse_filter(query))
    allowed = permission or Permission(always)
    stream = frames(changes, last_id, allowed, anyio.Event(), frame_seconds=0.001, heartbeat_seconds=hb)
    return cast("AsyncGenerator[Frame]", stream)


async def next_of(stream: AsyncGenerator[Frame]) -> tuple[str, str, Any]:
    """Return the next frame: its event, its id, its data as JSON."""
    with anyio.fail_after(5):
        frame = await anext(stream)
    data = str(frame["data"])
    assert "\n" not in data and "\r" not in data
    return str(frame["event"]), str(frame.get("id", "")), json.loads(data) if data else None


async def test_a_burst_is_one_frame_with_every_session_once(api: Console) -> None:
    stream = follow(api)
    async with aclosing(stream):
        event, first_id, data = await next_of(stream)
        assert (event, data) == ("changes", {"sessions": [], "gone": []})
        names = {f"client-{number}" for number in range(5)}
        for name in sorted(names):
            await api.mcp_client().initialize(name)
        event, second_id, data = await next_of(stream)
        assert event == "changes" and data["gone"] == []
        assert {session["client"]["name"] for session in data["sessions"]} == names and len(data["sessions"]) == 5
        boot, number = second_id.split(".")
        assert boot == first_id.split(".")[0] and int(number) > int(first_id.split(".")[1])


async def test_a_follower_who_comes_back_gets_what_was_missed(api: Console) -> None:
    stream = follow(api)
    async with aclosing(stream):
        _, last_id, _ = await next_of(stream)
    await api.mcp_client().initialize("missed")
    again = follow(api, last_id)
    async with aclosing(again):
        _, _, data = await next_of(again)
        assert [session["client"]["name"] for session in data["sessions"]] == ["missed"]


@pytest.mark.parametrize("last_id", ["0.1", "x", "..", "boot.", "9" * 64, "\x00", "-1", "abc.-1"])
async def test_an_id_that_is_not_ours_means_read_everything_again(api: Console, last_id: str) -> None:
    stream = follow(api, last_id)
    async with aclosing(stream):
        event, frame_id, _ = await next_of(stream)
        assert event == "resync"
        await api.mcp_client().initialize()
        assert (await next_of(stream))[0] == "changes"
    assert SessionChanges(api.room.directory, parse_filter("")).version_of(frame_id) is not None


async def test_an_id_of_this_process_that_is_still_to_come_is_not_believed(api: Console) -> None:
    changes = SessionChanges(api.room.directory, parse_filter(""))
    assert changes.version_of(changes.id_of(changes.now)) == changes.now
    assert changes.version_of(changes.id_of(changes.now + 1)) is None
    assert changes.version_of(changes.id_of(10**30)) is None


async def test_more_changes_than_a_frame_holds_mean_read_everything_again(api: Console) -> None:
    stream = follow(api)
    async with aclosing(stream):
        await next_of(stream)
        for number in range(MAX_SESSIONS + 1):
            api.room.directory.changes.publish(f"session-{number}")
        assert (await next_of(stream))[0] == "resync"


async def test_a_session_outside_the_filter_is_only_named(api: Console) -> None:
    script = await api.script()
    mcp = api.mcp_client()
    stream = follow(api, query="state:live")
    async with aclosing(stream):
        await next_of(stream)
        await mcp.initialize("acme")
        _, _, data = await next_of(stream)
        session_id = data["sessions"][0]["id"]
        await script.post(f"/api/v1/sessions/{session_id}/expiration", json={"reason": "x"})
        while not data["gone"]:
            _, _, data = await next_of(stream)
        assert data == {"sessions": [], "gone": [session_id]}


async def test_silence_is_broken_by_heartbeats(api: Console) -> None:
    stream = follow(api, hb=0.01)
    async with aclosing(stream):
        await next_of(stream)
        assert [await next_of(stream) for _ in range(2)] == [("hb", "", None)] * 2


async def test_a_follower_who_lost_permission_is_told_goodbye(api: Console) -> None:
    now = 0.0
    answers: list[Actor | None] = [ANA, None]

    async def identify() -> Actor | None:
        return answers.pop(0)

    stream = follow(api, permission=Permission(identify, clock=lambda: now, interval=4))
    async with aclosing(stream):
        await next_of(stream)
        for now in (3.9, 4.0, 7.9):  # noqa: B007 - the clock of the permission
            await api.mcp_client().initialize()
            assert (await next_of(stream))[0] == "changes"
        now = 8.0
        with anyio.fail_after(5):
            assert [frame async for frame in stream] == [BYE]


async def test_permission_that_cannot_be_asked_for_is_no_permission() -> None:
    async def identify() -> Actor | None:
        raise StoreUnavailable("away")

    assert not await Permission(identify, interval=0).holds()


def test_one_operator_may_follow_so_many_streams_and_another_still_follows() -> None:
    followers = Followers(limit=2)
    with followers.following(ANA), followers.following(ANA):
        with pytest.raises(LimitReached), followers.following(ANA):
            raise AssertionError
        with followers.following(Actor("ben", Role.VIEWER)):
            pass
    with followers.following(ANA):
        pass


# -- over a real server ------------------------------------------------------------------------


async def test_the_stream_as_bytes(api: Console) -> None:
    secret, _ = await api.accounts.tokens.create("script", Role.VIEWER)
    async with (
        serving(api.guarded, lifespan="off") as base,
        httpx2.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {secret}"}) as client,
    ):
        with anyio.fail_after(10):
            async with client.stream("GET", "/api/v1/live") as answer:
                assert answer.status_code == 200
                assert answer.headers["content-type"].startswith("text/event-stream")
                assert answer.headers["cache-control"] == "no-store"
                lines = answer.aiter_lines()
                assert await anext(lines) == "event: changes" or await anext(lines) == "event: changes"
                await api.mcp_client().initialize("acme")
                text = ""
                while "acme" not in text:
                    text += await anext(lines)
                assert "\r" not in text


async def test_revoking_a_token_ends_its_stream_within_seconds(api: Console) -> None:
    secret, token = await api.accounts.tokens.create("script", Role.VIEWER)
    async with (
        serving(api.guarded, lifespan="off") as base,
        httpx2.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {secret}"}, timeout=10) as client,
    ):
        async with client.stream("GET", "/api/v1/live") as answer:
            lines = answer.aiter_lines()
            await anext(lines)
            await api.accounts.tokens.revoke(token.id)
            with anyio.fail_after(5.5):
                rest = [line async for line in lines]
        assert "event: bye" in rest
        assert (await client.get("/api/v1/live")).status_code == 401


async def test_too_many_streams_of_one_caller_are_refused_and_the_rest_go_on(api: Console) -> None:
    secret, _ = await api.accounts.tokens.create("script", Role.VIEWER)
    api.app.state.followers = followers = Followers(limit=5)
    bearer = {"Authorization": f"Bearer {secret}"}
    async with (
        serving(api.guarded, lifespan="off") as base,
        httpx2.AsyncClient(base_url=base, headers=bearer) as client,
    ):
        async with AsyncExitStack() as stack:
            opening = [stack.enter_async_context(client.stream("GET", "/api/v1/live")) for _ in range(12)]
            answers = await asyncio.gather(*opening)
            refused = [answer for answer in answers if answer.status_code == 429]
            assert len(refused) == 7 and all(answer.headers["retry-after"] for answer in refused)
        with anyio.fail_after(5):
            while followers.count(Actor("script", Role.VIEWER, "token")):
                await anyio.lowlevel.checkpoint()
        async with client.stream("GET", "/api/v1/live") as answer:
            assert answer.status_code == 200


async def test_an_unknown_filter_is_refused_before_the_stream_starts(api: Console) -> None:
    answer = await (await api.script(Role.VIEWER)).get("/api/v1/live?q=statte:active")
    assert answer.status_code == 422


async def test_a_stream_is_not_opened_by_another_site(api: Console) -> None:
    browser = await api.signed_in()
    assert (await browser.get("/api/v1/live", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
