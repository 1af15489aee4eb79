"""Listen streams of the 2026-07-28 era, and the announcements that go over them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anyio
import httpx
import pytest
from mcp.shared.exceptions import MCPError

from switchroom.server.engine.limits import Limit
from switchroom.server.errors import StoreUnavailable
from switchroom.server.models import DeliveryStatus
from switchroom.server.modern.announcements import URI
from switchroom.server.modern.clients import Clients
from tests.support.modern import MODERN, OPERATOR, announce, calling, connect, headers, message, only_client
from tests.support.raw import raw_connection
from tests.support.servers import eventually, running
from tests.support.toolbox import Toolbox, low_level_server
from tests.support.wire import client

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", ["MCPServer", "low-level"])
async def test_announcements_are_listed_read_and_notified(kind: str) -> None:
    server: Any = Toolbox().mcp if kind == "MCPServer" else low_level_server()
    async with running(server) as site, connect(site) as modern:
        assert URI in [str(resource.uri) for resource in (await modern.list_resources()).resources]
        async with modern.listen(resource_subscriptions=[URI]) as updates:
            await eventually(lambda: site.switchroom.directory.health().open_streams == 1)
            now = await announce(site, "hear ye", level="warning")
            assert now.counts[DeliveryStatus.DELIVERED.value] == 1
            with anyio.fail_after(5):
                update = await anext(aiter(updates))
            assert getattr(update, "uri", None) == URI
            content: Any = (await modern.read_resource(URI)).contents[0]
            (said,) = json.loads(content.text)["announcements"]
            assert (said["text"], said["level"]) == ("hear ye", "warning")


async def test_a_client_that_does_not_listen_is_reported_as_such() -> None:
    async with running(Toolbox().mcp) as site, connect(site) as modern:
        await modern.call_tool("echo", {"text": "here"})
        assert (await announce(site, "hear ye")).counts[DeliveryStatus.NOT_LISTENING.value] == 1


async def test_a_listener_that_leaves_is_forgotten() -> None:
    async with running(Toolbox().mcp) as site, connect(site) as modern:
        for _ in range(3):
            async with modern.listen(resource_subscriptions=[URI], tools_list_changed=True):
                await eventually(lambda: site.switchroom.directory.health().open_streams == 1)
            await eventually(lambda: site.switchroom.directory.health().open_streams == 0)
        live = await only_client(site)
        await eventually(lambda: not live.calls)
        await modern.call_tool("echo", {"text": "hi"})
        assert (await announce(site, "anyone?")).counts[DeliveryStatus.NOT_LISTENING.value] == 1


async def test_an_announcement_reaches_every_listen_stream_of_a_name_and_counts_once() -> None:
    """Two programs of one name are one row without authentication; both are told."""
    async with running(Toolbox().mcp) as site, connect(site, "twin") as one, connect(site, "twin") as two:
        async with one.listen(resource_subscriptions=[URI]) as a, two.listen(resource_subscriptions=[URI]) as b:
            await eventually(lambda: site.switchroom.directory.health().open_streams == 2)
            now = await announce(site, "to both")
            assert (now.audience, now.counts[DeliveryStatus.DELIVERED.value]) == (1, 1)
            with anyio.fail_after(5):
                assert [getattr(await anext(aiter(updates)), "uri", None) for updates in (a, b)] == [URI, URI]


async def test_one_address_cannot_take_every_listen_stream_there_is() -> None:
    async with running(Toolbox().mcp, max_listen_streams=1) as site, connect(site, "greedy") as greedy:
        async with greedy.listen(tools_list_changed=True):
            with pytest.raises(MCPError, match="listen streams, the limit"):
                async with greedy.listen(tools_list_changed=True):
                    raise AssertionError("a second stream was opened")
            body, headers = listen_request("modest")
            async with neighbour() as http, http.stream("POST", site.url, content=body, headers=headers) as answer:
                assert answer.status_code == 200
                await eventually(lambda: site.switchroom.directory.health().open_streams == 2)
        reached = site.switchroom.engine.limit_hits.of(Limit.LISTEN_STREAMS)
        assert reached is not None and (reached.times, reached.who) == (1, "127.0.0.1")


async def test_an_operator_sees_what_a_listen_stream_asked_for_and_closes_it_gracefully() -> None:
    async with running(Toolbox().mcp) as site, connect(site) as modern:
        wanted = [f"note://{number}" for number in range(22)]
        async with modern.listen(tools_list_changed=True, resource_subscriptions=wanted) as updates:
            await eventually(lambda: site.switchroom.directory.health().open_streams == 1)
            live = await only_client(site)
            (shown,) = site.switchroom.directory.streams(live.record.id)
            assert (shown.kind, shown.method) == ("listen", "subscriptions/listen")
            assert shown.asked_for == (*wanted[:20], "2 more resources", "list of tools")
            verbs = site.switchroom.operations
            assert await verbs.close_stream(OPERATOR, live.record.id, shown.stream, "maintenance")
            with anyio.fail_after(5):
                assert [update async for update in updates] == []  # an abrupt end would raise here
        await eventually(lambda: not live.calls)


async def test_a_listener_that_reads_nothing_is_shown_cut_as_slow_and_told_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    large = "a://" + "b" * 100_000
    body = message("subscriptions/listen", {"notifications": {"resourceSubscriptions": [URI, large]}})
    async with running(Toolbox().mcp, send_timeout_seconds=0.5) as site, connect(site, "sender") as sender:
        async with raw_connection(site.url) as unread, client(site.url) as wire:
            named = {key: value for key, value in headers("subscriptions/listen").items() if value is not None}
            await unread.send_request(wire, "POST", json.dumps(body).encode(), headers=named)
            await eventually(lambda: site.switchroom.directory.health().open_streams == 1)
            live: Any = next(each for each in site.switchroom.engine.by_id.values() if each.streams)
            opened = live.streams[0]
            async with asyncio.timeout(20):
                while opened.blocked_since is None:
                    await sender.call_tool("update", {"uri": large})
            now = await announce(site, "does anybody hear this?")
            assert now.counts[DeliveryStatus.DELIVERED.value] == 0
            await eventually(lambda: not live.streams)
        faults = site.switchroom.engine.stream_watch.faults()
        assert (faults.slow, faults.lost) == (1, 0)
    caplog.clear()  # uvicorn has no quiet way to cut an answer


async def test_a_listen_stream_that_an_operator_ends_was_not_lost() -> None:
    listen = message("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        async with wire.streaming(listen, headers=headers("subscriptions/listen")) as stream:
            assert (await stream.message())["method"] == "notifications/subscriptions/acknowledged"
            live = await only_client(site)
            (shown,) = site.switchroom.directory.in_flight(live.record.id)
            await site.switchroom.operations.cancel(OPERATOR, live.record.id, shown.request_id, "enough")
            assert "enough" in (await stream.message())["error"]["message"]
        await eventually(lambda: not live.streams)
        assert site.switchroom.engine.stream_watch.faults().lost == 0


async def test_those_who_share_a_name_do_not_share_its_listen_streams() -> None:
    async with running(Toolbox().mcp, max_listen_streams=1) as site, connect(site, "popular") as one:
        body, routed = listen_request("popular")
        async with one.listen(tools_list_changed=True), neighbour() as http:
            async with http.stream("POST", site.url, content=body, headers=routed) as answer:
                await eventually(lambda: site.switchroom.directory.health().open_streams == 2)
                assert answer.status_code == 200


async def test_a_listen_stream_that_could_not_be_kept_track_of_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        monkeypatch.setattr(Clients, "of_request", fail)
        listen = message("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        refused = await wire.post(listen, headers=headers("subscriptions/listen"))
        assert "listen again in a moment" in refused.last["error"]["message"]
        body, named = calling("echo", {"text": "served all the same"})
        assert (await wire.post(body, headers=named)).last["result"]["isError"] is False


async def test_the_servers_own_updates_and_announcements_share_a_listen_stream() -> None:
    async with running(Toolbox().mcp) as site, connect(site) as modern:
        async with modern.listen(resource_subscriptions=[URI, "a://b"]) as updates:
            await eventually(lambda: site.switchroom.directory.health().open_streams == 1)
            await announce(site, "one")
            await modern.call_tool("update", {"uri": "a://b"})
            with anyio.fail_after(5):
                received = [getattr(await anext(aiter(updates)), "uri", None) for _ in range(2)]
            assert received == [URI, "a://b"]


async def test_without_announcements_nothing_is_added() -> None:
    async with running(low_level_server(), announcements=False) as site, connect(site) as modern:
        with pytest.raises(MCPError):
            await modern.list_resources()
        await modern.call_tool("echo", {"text": "hi"})
        assert (await announce(site, "nobody hears")).counts[DeliveryStatus.NOT_LISTENING.value] == 1


def neighbour() -> httpx.AsyncClient:
    """Return a client with another address of this machine."""
    return httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(local_address="127.0.0.2"), timeout=5)


def listen_request(name: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a `subscriptions/listen`."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": name, "version": "1.0"},
    }
    params = {"_meta": meta, "notifications": {"toolsListChanged": True}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
    headers = {
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": MODERN,
        "mcp-method": "subscriptions/listen",
    }
    return json.dumps(message).encode(), headers
