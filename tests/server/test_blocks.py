"""Blocks: whom the server refuses, in both eras and on every transport that can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp.shared.exceptions import MCPError

from switchroom.server import attach
from switchroom.server.errors import Forbidden, InvalidInput, NotFound
from switchroom.server.models import Actor, BlockKind, Role
from switchroom.server.store import SqliteStore
from tests.support.clients import connected, text_of
from tests.support.console import plain_settings
from tests.support.guards import Tokens, guarded_toolbox
from tests.support.modern import MODERN, OPERATOR, connect, only_client
from tests.support.servers import Site, eventually, running, serving
from tests.support.toolbox import Toolbox
from tests.support.wire import Answer, client, initialize_message, session

pytestmark = pytest.mark.anyio

CLIENT, ADDRESS, PRINCIPAL = BlockKind.CLIENT, BlockKind.ADDRESS, BlockKind.PRINCIPAL


async def block(site: Site, kind: BlockKind, value: str, **more: Any) -> Any:
    return await site.switchroom.operations.block(OPERATOR, kind, value, "abuse", **more)


def modern_request(name: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a tool call of the newer era, by a client of that name."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": name, "version": "1.0"},
    }
    params = {"name": "echo", "arguments": {"text": "hi"}, "_meta": meta}
    headers = {
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": "echo",
    }
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode(), headers


async def modern_status(site: Site, name: str) -> int:
    body, headers = modern_request(name)
    async with httpx.AsyncClient(timeout=5) as http:
        return (await http.post(site.url, content=body, headers=headers)).status_code


def is_refused(answer: Answer | httpx.Response) -> bool:
    status = answer.status if isinstance(answer, Answer) else answer.status_code
    return status == 403 and "Blocked by an operator of this server: abuse." in answer.text


async def test_a_blocked_client_name_is_refused_in_both_eras_and_others_are_served() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, name="bad-bot") as bad, session(site.url) as good:
        assert await modern_status(site, "bad-bot") == 200
        result = await block(site, CLIENT, "Bad-Bot", seconds=90)
        refused = await bad.call("echo", text="hi")
        assert is_refused(refused) and 80 < int(refused.headers["retry-after"]) <= 90
        assert refused.last["error"]["code"] == -32003 and refused.last["error"]["data"]["reason"] == "abuse"
        async with client(site.url) as again:
            assert is_refused(await again.post(initialize_message(name="BAD-BOT")))
            assert (await again.post(initialize_message(name="bad-bot-2"))).status == 200
        assert is_refused(await bad.refused_get()) and is_refused(await bad.delete())
        assert await modern_status(site, "bad-bot") == 403 and await modern_status(site, "other") == 200
        assert (await good.call("echo", text="hi")).status == 200
        (shown,) = site.switchroom.directory.rules.blocks()
        assert (shown.block, shown.hits.times) == (result.block, 5)


async def test_a_blocked_address_is_refused_before_its_token_is_looked_at() -> None:
    tokens = Tokens()
    async with running(guarded_toolbox(tokens).mcp) as site:
        await block(site, ADDRESS, "127.0.0.0/8")
        async with client(site.url, token="nobody's") as outside:
            answer = await outside.post(initialize_message())
            assert is_refused(answer) and "It has no end." in answer.text and "retry-after" not in answer.headers
        assert await modern_status(site, "any") == 403


async def test_networks_of_both_versions_are_told_apart() -> None:
    async with running(Toolbox().mcp) as site:
        for value in ("10.0.0.7", "192.0.2.0/24", "2001:db8::/32"):
            await block(site, ADDRESS, value)
        check = site.switchroom.engine.blocks.check_address
        for address in ("10.0.0.8", "192.0.3.1", "2001:db9::1", "", "stdio", "::1", "127.0.0.1"):
            check(address)
        for address in ("10.0.0.7", "192.0.2.200", "2001:db8:1::2", "::ffff:10.0.0.7"):
            with pytest.raises(Exception, match="Blocked by an operator"):
                check(address)


async def test_a_blocked_principal_is_refused_whatever_its_token() -> None:
    tokens = Tokens()
    mine, other = tokens.issue("mine", "ann"), tokens.issue("other", "bob")
    async with running(guarded_toolbox(tokens).mcp) as site, session(site.url, token=mine) as wire:
        await block(site, PRINCIPAL, "ann")
        assert is_refused(await wire.call("echo", text="hi"))
        async with client(site.url, token=tokens.issue("fresh", "ann")) as again:
            assert is_refused(await again.post(initialize_message()))
        async with session(site.url, token=other) as fine:
            assert (await fine.call("echo", text="hi")).status == 200


async def test_block_and_end_leave_nothing_open_and_let_nobody_back() -> None:
    async with running(Toolbox().mcp) as site, connected(site.url, name="bad-bot") as (bad, _):
        async with connect(site, "bad-bot") as modern, modern.listen(tools_list_changed=True) as updates:
            await eventually(lambda: site.switchroom.directory.health().open_streams == 2)
            result = await block(site, CLIENT, "bad-bot", ends_sessions=True)
            assert (len(result.ended.expired), result.ended.streams_closed, result.streams_closed) == (1, 1, 1)
            with anyio.fail_after(5):
                assert [update async for update in updates] == []
            with pytest.raises(MCPError, match="expired by an operator: Blocked: abuse"):
                await bad.call_tool("echo", {"text": "hi"})
            await eventually(lambda: site.switchroom.directory.health().open_streams == 0)
        actions = [entry.action for entry in await site.switchroom.directory.audit()]
        assert actions == ["expire", "block"]


async def test_a_lifted_or_overdue_block_lets_everybody_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(Toolbox().mcp) as site, session(site.url, name="bot") as wire:
        found = (await block(site, CLIENT, "bot")).block
        assert is_refused(await wire.call("echo", text="hi"))
        await site.switchroom.operations.lift_block(OPERATOR, found.id, "sorted out")
        assert (await wire.call("echo", text="hi")).status == 200
        with pytest.raises(NotFound, match="not in force any more"):
            await site.switchroom.operations.lift_block(OPERATOR, found.id, "again")
        found = (await block(site, CLIENT, "bot", seconds=60)).block
        assert is_refused(await wire.call("echo", text="hi"))
        await site.switchroom.engine.blocks.put(found._replace(expires_at=found.created_at - 1))
        assert (await wire.call("echo", text="hi")).status == 200
        assert site.switchroom.directory.rules.blocks() == [] and await site.switchroom.store.blocks.load() == []


async def test_blocking_the_same_again_replaces_reason_and_end() -> None:
    async with running(Toolbox().mcp) as site:
        first = await block(site, ADDRESS, "192.0.2.7/32")
        second = await block(site, ADDRESS, " 192.0.2.7 ", seconds=60)
        assert (first.was_replaced, second.was_replaced, first.block.id) == (False, True, second.block.id)
        (shown,) = site.switchroom.directory.rules.blocks()
        assert shown.block.value == "192.0.2.7" and shown.block.expires_at is not None


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (ADDRESS, "300.1.1.1", "is no address"),
        (ADDRESS, "", "is no address"),
        (ADDRESS, "0.0.0.0/0", "next to everybody"),
        (ADDRESS, "::/8", "next to everybody"),
        (CLIENT, " ", "client's name of 1 to 256"),
        (CLIENT, "a\0b", "printable"),
        (PRINCIPAL, "x" * 257, "principal of 1 to 256"),
    ],
)
async def test_what_cannot_be_compared_is_refused(kind: BlockKind, value: str, said: str) -> None:
    async with running(Toolbox().mcp) as site:
        with pytest.raises(InvalidInput, match=said):
            await block(site, kind, value)
        assert site.switchroom.directory.rules.blocks() == []


async def test_a_viewer_blocks_nobody_and_a_reason_is_needed() -> None:
    async with running(Toolbox().mcp) as site:
        verbs = site.switchroom.operations
        with pytest.raises(Forbidden):
            await verbs.block(Actor("vic", Role.VIEWER), CLIENT, "bot", "abuse")
        with pytest.raises(InvalidInput, match="reason"):
            await verbs.block(OPERATOR, CLIENT, "bot", " ")
        with pytest.raises(InvalidInput, match="366 days"):
            await block(site, CLIENT, "bot", seconds=0.5)
        assert site.switchroom.directory.rules.blocks() == []


async def test_blocks_survive_a_restart(tmp_path: Path) -> None:
    database = tmp_path / "blocks.db"
    async with running(Toolbox().mcp, store=SqliteStore(database)) as site:
        await block(site, CLIENT, "bot")
    async with running(Toolbox().mcp, store=SqliteStore(database)) as site, client(site.url) as again:
        assert is_refused(await again.post(initialize_message(name="bot")))


async def test_what_a_block_would_cover_is_counted_before() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, name="a"), session(site.url, name="b"):
        async with connect(site, "c") as modern:
            await modern.call_tool("echo", {"text": "hi"})
            reach = site.switchroom.directory.rules.reach(ADDRESS, "127.0.0.1")
            assert (reach.sessions, reach.clients, reach.names, reach.principals, reach.stdio) == (2, 1, 3, 0, 0)
            assert site.switchroom.directory.rules.reach(CLIENT, "A").sessions == 1


async def test_listen_streams_of_a_client_are_closed_in_one_step() -> None:
    async with running(Toolbox().mcp) as site, connect(site) as modern:
        async with modern.listen(tools_list_changed=True) as one, modern.listen(tools_list_changed=True) as two:
            await eventually(lambda: site.switchroom.directory.health().open_streams == 2)
            live = await only_client(site)
            assert await site.switchroom.operations.close_listen_streams(OPERATOR, live.record.id, "moving") == 2
            with anyio.fail_after(5):
                assert [u async for u in one] + [u async for u in two] == []
        assert text_of(await modern.call_tool("echo", {"text": "still served"})) == "still served"
        assert await site.switchroom.operations.close_listen_streams(OPERATOR, live.record.id, "moving") == 0


async def test_http_sse_is_refused_by_principal_and_address() -> None:
    tokens = Tokens()
    headers = {"Authorization": f"Bearer {tokens.issue('mine', 'ann')}"}
    toolbox = guarded_toolbox(tokens)
    room = attach(toolbox.mcp, settings=plain_settings(db="memory:"))
    leg = room.attach_sse(toolbox.mcp)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        is_sse = scope["type"] == "http" and leg.serves(scope["path"])
        await (leg if is_sse else room.app)(scope, receive, send)

    async with serving(app, before_stop=room.engine.drain) as base, httpx.AsyncClient(timeout=5) as http:
        site = Site(f"{base}/mcp", room)
        assert (await http.get(f"{base}/sse")).status_code == 401
        await block(site, PRINCIPAL, "ann")
        assert is_refused(await http.get(f"{base}/sse", headers=headers))
        assert is_refused(await http.post(f"{base}/messages/?session_id=x", headers=headers, json={}))
        assert (await http.get(f"{base}/sse")).status_code == 401
        await block(site, ADDRESS, "127.0.0.1")
        assert is_refused(await http.get(f"{base}/sse"))
