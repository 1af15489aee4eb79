"""Coordination between sessions, by real clients of both eras."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from switchroom.server.errors import Forbidden, NotFound
from switchroom.server.filters import parse_filter
from switchroom.server.models import Actor, Role, SessionState
from switchroom.server.modern.announcements import URI
from switchroom.server.store import SqliteStore
from switchroom.server.tools.bundled import bundled_server
from tests.support import wire
from tests.support.clients import Hearing, connected, text_of
from tests.support.modern import OPERATOR, announce, connect
from tests.support.servers import Site, eventually, running

pytestmark = pytest.mark.anyio

Pair = tuple[Client, Hearing]


@asynccontextmanager
async def members(site: Site, count: int, group: str = "default") -> AsyncGenerator[list[Pair]]:
    """Connect handshake-era clients, and have them join one after another once their streams are open."""
    async with AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(connected(site.url, name=f"m{number}")) for number in range(count)]
        await eventually(lambda: site.switchroom.directory.health().open_streams == count)
        for client, _ in pairs:
            await join(client, group)
        yield pairs


async def join(client: Client, group: str = "default", **more: Any) -> str:
    return text_of(await client.call_tool("join_coordination", {"group": group, **more}))


async def send(client: Client, message: str, **more: Any) -> Any:
    return await client.call_tool("broadcast_to_sessions", {"message": message, **more})


def said(hearing: Hearing, event: str = "message") -> list[str]:
    return [data["message"] for data in hearing.logs if data["event"] == event]


def counts(sent: Any) -> dict[str, int]:
    found: dict[str, int] = sent.structured_content["counts"]
    return found


async def test_a_joining_session_is_announced_to_the_others_and_not_to_itself() -> None:
    async with running(bundled_server()) as site, members(site, 1) as ((_, old),), connected(site.url) as (new, own):
        answer = await join(new)
        assert answer.startswith("Joined coordination as session ") and "1 other members, 1 of them" in answer
        await eventually(lambda: said(old, "joined"))
        assert answer.split()[4] in said(old, "joined")[0] and own.logs == []
        assert "already" in await join(new)


async def test_the_sender_gets_a_receipt_for_each_other_member() -> None:
    async with running(bundled_server()) as site, members(site, 3) as ((sender, own), (_, one), (_, two)):
        sent = await send(sender, "lunch?")
        assert text_of(sent).splitlines()[0] == "Broadcasted 'lunch?' to 2 other sessions: 2 delivered"
        assert counts(sent) == {"delivered": 2} and len(sent.structured_content["receipts"]) == 2
        await eventually(lambda: said(one) == said(two) == ["lunch?"])
        assert said(own) == []


async def test_a_member_without_a_stream_is_told_with_its_next_one() -> None:
    async with running(bundled_server()) as site, members(site, 1) as ((sender, _),), wire.session(site.url) as silent:
        await silent.call("join_coordination")
        sent = await send(sender, "lunch?")
        assert counts(sent) == {"queued": 1} and "sent with the next one" in text_of(sent)
        async with silent.listening() as stream:
            message = await stream.until(lambda each: each.get("method") == "notifications/message")
        assert message["params"]["logger"] == "coordination" and message["params"]["data"]["message"] == "lunch?"


async def test_groups_have_names_and_are_apart() -> None:
    async with running(bundled_server()) as site, members(site, 2, "planners") as ((one, _), (two, hears)):
        await join(one, "cooks")
        assert counts(await send(one, "soup", group="cooks")) == {}
        assert counts(await send(one, "plan", group="planners")) == {"delivered": 1}
        await eventually(lambda: said(hears) == ["plan"])
        listed = text_of(await one.call_tool("list_coordination"))
        assert listed.startswith("cooks: ") and "(this session)" in listed and "\nplanners: " in listed
        planners = parse_filter("group:planners -group:cooks")
        (other,) = site.switchroom.directory.matching_live(planners)
        assert other.groups == ("planners",)
        assert "left group" in text_of(await two.call_tool("leave_coordination", {"group": "planners"}))
        assert "was not a member" in text_of(await two.call_tool("leave_coordination", {"group": "planners"}))
        refused = await send(two, "still here?", group="planners")
        assert refused.is_error and "join_coordination first" in text_of(refused)
        assert (refused.meta or {})["switchroom/error"] == {"code": "invalid_input"}


@pytest.mark.parametrize("name", ["", "Planners", "a b", "x" * 65, "a\0b", "-x", "émile", "a*", "a,b"])
async def test_a_malformed_name_is_refused_and_changes_nothing(name: str) -> None:
    async with running(bundled_server()) as site, connected(site.url) as (client, _):
        refused = await client.call_tool("join_coordination", {"group": name})
        assert refused.is_error and "1 to 64 characters" in text_of(refused)
        assert site.switchroom.engine.groups.all() == []


async def test_limits_are_said_and_hold() -> None:
    limits: dict[str, Any] = {"max_groups": 2, "max_group_members": 2, "max_group_messages_per_minute": 4}
    async with running(bundled_server(), **limits) as site, members(site, 2) as ((one, _), (two, _)):
        async with connected(site.url, name="third") as (third, _):
            full = await third.call_tool("join_coordination")
            assert full.is_error and "has 2 members, its limit" in text_of(full)
        await join(two, "second")
        many = await two.call_tool("join_coordination", {"group": "third"})
        assert many.is_error and "in 2 groups; 2 is its limit" in text_of(many)
        for number in range(3):
            assert not (await send(one, f"message {number}")).is_error
        flood = await send(one, "message 4")
        assert flood.is_error and "4 messages to groups within a minute" in text_of(flood)
        empty = await send(two, " ")
        assert empty.is_error and "Write a message" in text_of(empty)
        long = await send(two, "x" * 10_001)
        assert long.is_error and "10,000 characters" in text_of(long)


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_leaving_is_told_to_the_others_and_ending_the_session_is_too(era: str) -> None:
    async with running(bundled_server()) as site, members(site, 1) as ((stays, hears),):
        async with connected(site.url, mode=era, name="leaver") as (leaver, own):
            handle = await opened(leaver) if era == "auto" else {}
            me = (await join(leaver, **handle)).split()[4]
            left = await leaver.call_tool("leave_coordination", handle)
            assert text_of(left) == f"Session {me} left group default: 1 other members are told"
            await eventually(lambda: said(hears, "left") == [f"Session {me} left"])
            assert own.logs == []
            await join(leaver, **handle)
            if handle:
                await leaver.call_tool("close_session", handle)
            else:
                await site.switchroom.operations.expire(OPERATOR, "over", session_ids=[me])
            await eventually(lambda: said(hears, "left") == [f"Session {me} left"] * 2)
            told = [data for data in hears.logs if data["event"] == "left"][-1]
            assert (told["from"], told["sessions"], told["group"]) == (me, [me], "default")
        assert "left group" in text_of(await stays.call_tool("leave_coordination"))


async def test_sessions_that_end_together_are_told_of_together() -> None:
    async with running(bundled_server()) as site, members(site, 1) as ((_, hears),):
        async with connected(site.url, name="two") as (two, _), connected(site.url, name="three") as (three, _):
            both = {(await join(client)).split()[4] for client in (two, three)}
            await site.switchroom.operations.expire(OPERATOR, "over", session_ids=sorted(both))
            await eventually(lambda: said(hears, "left"))
        assert said(hears, "left") == ["2 sessions left"]
        assert set(hears.logs[-1]["sessions"]) == both


@pytest.mark.parametrize("how", ["client", "operator"])
async def test_membership_ends_with_the_session_however_it_ends(how: str) -> None:
    async with running(bundled_server()) as site, members(site, 1) as ((sender, _),):
        async with wire.session(site.url) as leaver:
            await leaver.call("join_coordination")
            session = site.switchroom.directory.matching_live(parse_filter("group:default streams:0"))[0]
            if how == "client":
                await leaver.delete()
            else:
                await site.switchroom.operations.expire(OPERATOR, "over", session_ids=[session.record.id])
        await eventually(lambda: len(site.switchroom.engine.groups.all()[0].members) == 1)
        assert (await send(sender, "anyone?")).structured_content["recipients"] == 0
        assert [m.session_id for m in await site.switchroom.store.groups.load()] != [session.record.id]


async def test_memberships_survive_a_restart(tmp_path: Path) -> None:
    database = tmp_path / "groups.db"
    async with running(bundled_server(), store=SqliteStore(database)) as site, wire.session(site.url) as one:
        await one.call("join_coordination", group="planners")
        secret = one.session_id
    async with running(bundled_server(), store=SqliteStore(database)) as site:
        async with wire.client(site.url) as again, members(site, 1, "planners") as ((sender, _),):
            again.session_id = secret
            again.version = one.version
            assert counts(await send(sender, "back?", group="planners")) == {"queued": 1}
            async with again.listening() as stream:
                message = await stream.until(lambda each: each.get("method") == "notifications/message")
            assert message["params"]["data"]["event"] == "joined", "the other joined while this one was away"


# -- the 2026-07-28 era --------------------------------------------------------------------------


async def opened(client: Client) -> dict[str, str]:
    return {"session_id": text_of(await client.call_tool("open_session"))}


async def read(client: Client) -> list[dict[str, Any]]:
    content: Any = (await client.read_resource(URI)).contents[0]
    found: list[dict[str, Any]] = json.loads(content.text)["announcements"]
    return found


async def test_a_handle_is_a_member_and_is_reached_through_its_clients_listen_stream() -> None:
    async with running(bundled_server()) as site, members(site, 1) as ((sender, hears),), connect(site) as modern:
        handle = await opened(modern)
        assert "1 other members, 1 of them are told" in await join(modern, **handle)
        await eventually(lambda: said(hears, "joined"))
        deaf = await send(sender, "can you hear me?")
        assert counts(deaf) == {"not_listening": 1} and URI in text_of(deaf)
        async with modern.listen(resource_subscriptions=[URI]) as updates:
            await eventually(lambda: site.switchroom.directory.health().open_streams == 2)
            assert counts(await send(sender, "lunch?")) == {"delivered": 1}
            with anyio.fail_after(5):
                assert getattr(await anext(aiter(updates)), "uri", None) == URI
            latest = (await read(modern))[-1]
            assert (latest["message"], latest["group"], latest["event"]) == ("lunch?", "default", "message")
        assert counts(await send(modern, "yes", **handle)) == {"delivered": 1}
        await eventually(lambda: said(hears) == ["yes"])


async def test_what_a_group_says_is_read_by_its_members_only() -> None:
    async with running(bundled_server()) as site, members(site, 1) as ((sender, _),):
        async with connect(site, "member") as member, connect(site, "stranger") as stranger:
            await join(member, **(await opened(member)))
            await opened(stranger)
            await send(sender, "between us")
            assert [each["message"] for each in await read(member)] == ["between us"]
            assert await read(stranger) == []


async def test_the_talk_of_a_group_pushes_out_no_announcement_of_an_operator() -> None:
    async with running(bundled_server()) as site, members(site, 1) as ((sender, _),), connect(site) as modern:
        await join(modern, **(await opened(modern)))
        await announce(site, "closing at six")
        for number in range(25):
            await send(sender, f"chat {number}")
        found = await read(modern)
        assert found[0]["text"] == "closing at six" and found[-1]["message"] == "chat 24" and len(found) == 21


async def test_without_a_handle_a_modern_client_is_told_what_to_do() -> None:
    async with running(bundled_server()) as site, connect(site) as modern:
        refused = await modern.call_tool("join_coordination")
        assert refused.is_error and "open_session" in text_of(refused)


# -- operators -----------------------------------------------------------------------------------


async def test_an_operator_broadcasts_to_one_group_handles_included() -> None:
    async with running(bundled_server()) as site, members(site, 2, "planners") as pairs, connect(site) as modern:
        await join(modern, "planners", **(await opened(modern)))
        async with connected(site.url, name="outsider") as (_, outside), modern.listen(resource_subscriptions=[URI]):
            await eventually(lambda: site.switchroom.directory.health().open_streams == 4)
            now = await announce(site, "plan B", query=parse_filter("group:planners"))
            assert (now.audience, now.counts["delivered"]) == (3, 3)
            for _, hearing in pairs:
                await hearing.until_logged("plan B")
            assert outside.logs == [] and (await read(modern))[-1]["text"] == "plan B"


async def test_an_operator_removes_a_member_whose_session_goes_on() -> None:
    async with running(bundled_server()) as site, members(site, 2) as ((sender, _), (other, _)):
        verbs, (server,) = site.switchroom.operations, site.switchroom.directory.server_names
        (group,) = site.switchroom.engine.groups.all()
        removed = group.members[1].session_id
        with pytest.raises(Forbidden):
            await verbs.remove_member(Actor("vic", Role.VIEWER), server, "default", removed, "noise")
        assert await verbs.remove_member(OPERATOR, server, "default", removed, "noise")
        assert not await verbs.remove_member(OPERATOR, server, "default", removed, "noise")
        with pytest.raises(NotFound, match="ends with its last member"):
            await verbs.remove_member(OPERATOR, server, "nobody", removed, "noise")
        assert (await send(sender, "gone?")).structured_content["recipients"] == 0
        assert (await site.switchroom.directory.session(removed)).state is SessionState.INITIALIZED
        assert "is in no group" in text_of(await other.call_tool("list_coordination"))
        actions = await site.switchroom.directory.audit(action="remove_member")
        assert [action.outcome for action in actions] == ["refused", "refused", "done", "refused"]
        assert all(removed in action.target or action.target.startswith("nobody") for action in actions)
