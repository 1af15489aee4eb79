"""The standalone GET stream: one reader, the newest; broadcasts; readers that do not read."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from switchroom.server.models import Actor, DeliveryStatus, EventKind, Role
from switchroom.server.store.base import EventQuery
from tests.support.raw import raw_connection
from tests.support.servers import Site, eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import client, session, text_of

pytestmark = pytest.mark.anyio

OPERATOR = Actor("ann", Role.OPERATOR)


async def broadcast(site: Site, text: str, **options: Any) -> str:
    sent = await site.switchroom.operations.broadcast(OPERATOR, text=text, **options)
    return sent.id


async def settled(site: Site, broadcast_id: str, status: DeliveryStatus, count: int = 1) -> None:
    """Wait until that many recipients have that status."""
    async with asyncio.timeout(5):
        while True:
            sent = await site.switchroom.directory.broadcast(broadcast_id)
            if sent.counts.get(status.value) == count:
                return
            await asyncio.sleep(0.005)


async def stream_notes(site: Site, method: str) -> list[dict[str, Any]]:
    """Return what the log says about the standalone stream's connections."""
    page = await site.switchroom.directory.events(
        site.live().record.id, EventQuery(kinds=(EventKind.STREAM,), method=method)
    )
    notes = [json.loads(event.payload or "{}") for event in page.events]
    return [note for note in notes if note["stream"] == 0]


async def test_the_log_says_why_a_connection_ended() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        async with wire.listening() as stream:
            await stream.next()
        await eventually(lambda: not site.live().streams)
        async with wire.listening() as stream:
            await stream.next()
            live = site.live()
            live.close_streams()
            await stream.rest()
        await eventually(lambda: not site.live().streams)
        assert [note["why"] for note in await stream_notes(site, "closed")] == ["client", "server"]


async def test_it_opens_with_a_cursor_and_carries_what_is_told() -> None:
    async with running(Toolbox().mcp, retry_ms=777) as site, session(site.url) as wire:
        async with wire.listening() as stream:
            priming = await stream.next()
            assert priming is not None and (priming.retry, priming.data) == (777, "")
            assert stream.response.headers["mcp-session-id"] == wire.session_id
            await wire.call("tell", text="hello")
            assert (await stream.message())["params"]["data"] == "hello"
            (shown,) = site.switchroom.directory.streams(site.live().record.id)
            assert (shown.kind, shown.stream, shown.sent) == ("get", 0, 1)
        await eventually(lambda: not site.live().streams)


async def test_older_revisions_get_their_head_at_once_without_a_priming_event() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, "2025-06-18") as wire:
        async with wire.listening() as stream:
            opened = await stream.next()
            assert opened is not None and (opened.comment, opened.id, opened.data) == ("open", None, "")
            await wire.call("tell", text="hello")
            assert (await stream.message())["params"]["data"] == "hello"


async def test_the_newest_get_wins() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        async with wire.listening() as first:
            await first.next()
            async with wire.listening() as second:
                await second.next()
                assert await first.rest() == []
                await wire.call("tell", text="to the newest")
                assert (await second.message())["params"]["data"] == "to the newest"
                assert site.live().open_streams == 1


async def test_a_get_before_the_initialized_notification_is_served() -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        await wire.initialize(announce=False)
        async with wire.listening() as stream:
            await stream.next()
            await wire.notify("notifications/initialized")
            await wire.call("tell", text="early bird")
            assert (await stream.message())["params"]["data"] == "early bird"


async def test_a_handler_may_end_it_and_the_client_comes_back() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        async with wire.listening() as stream:
            await stream.next()
            await wire.call("drop_standalone")
            assert await stream.rest() == []
        async with wire.listening(stream.last_id) as again:
            await again.next()
            await wire.call("tell", text="back")
            assert (await again.message())["params"]["data"] == "back"


async def test_a_broadcast_without_a_stream_reaches_the_next_one_once_without_last_event_id() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        first = await broadcast(site, "queued")
        await settled(site, first, DeliveryStatus.QUEUED)
        async with wire.listening() as stream:
            assert (await stream.message())["params"] == {"level": "info", "logger": "switchroom", "data": "queued"}
            await settled(site, first, DeliveryStatus.DELIVERED)
        await eventually(lambda: not site.live().streams)
        second = await broadcast(site, "second")
        async with wire.listening() as again:
            assert (await again.message())["params"]["data"] == "second"
            await settled(site, second, DeliveryStatus.DELIVERED)


async def test_a_broadcast_goes_to_the_open_stream_and_to_no_calls_stream() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.listening() as stream, wire.streaming(wire.call_message("wait")) as call:
            await stream.next()
            await call.next()
            sent = await broadcast(site, "hear ye", level="warning")
            assert (await stream.message())["params"]["data"] == "hear ye"
            await settled(site, sent, DeliveryStatus.DELIVERED)
            box.let_go()
            assert len(await call.rest()) == 1


async def test_a_broadcast_below_the_clients_level_is_not_sent() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        await wire.request("logging/setLevel", {"level": "error"})
        async with wire.listening() as stream:
            await stream.next()
            await settled(site, await broadcast(site, "too soft"), DeliveryStatus.BELOW_LEVEL)
            await broadcast(site, "loud", level="critical")
            assert (await stream.message())["params"]["data"] == "loud"


async def test_a_broadcast_whose_time_ran_out_is_not_delivered() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        sent = await broadcast(site, "stale", ttl_seconds=0)
        await settled(site, sent, DeliveryStatus.QUEUED)
        async with wire.listening() as stream:
            await stream.next()
            await wire.call("tell", text="fresh")
            assert (await stream.message())["params"]["data"] == "fresh"
        await settled(site, sent, DeliveryStatus.FAILED)


async def test_replayed_notifications_come_again_with_new_ids() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        async with wire.listening() as stream:
            await stream.next()
            await wire.call("tell", text="again")
            await stream.message()
            first = stream.last_id
            verbs = site.switchroom.operations
            result = await verbs.replay(OPERATOR, site.live().record.id, after_seq=0)
            assert result.delivered == 1
            assert (await stream.message())["params"]["data"] == "again"
            assert stream.last_id != first


async def test_streams_of_one_session_are_bounded() -> None:
    box = Toolbox()
    async with running(box.mcp, max_streams=2) as site, session(site.url) as wire, AsyncExitStack() as stack:
        held: list[str] = []
        for number in range(3):
            async with wire.streaming(wire.call_message("wait", id=number)) as call:
                await call.next()
                held.append(call.last_id)
        await eventually(lambda: not site.live().streams)
        resumed = [await stack.enter_async_context(wire.listening(event_id)) for event_id in held[:2]]
        for stream in resumed:
            await stream.next()
        assert (await wire.refused_get(held[2])).status_code == 429
        async with wire.listening(held[0]) as newer:  # in its older self's place
            await newer.next()
        box.let_go()


async def test_a_reader_that_never_reads_blocks_nobody_and_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    async with running(Toolbox().mcp, send_timeout_seconds=0.3) as site, session(site.url) as wire:
        async with raw_connection(site.url, buffer=1 << 12) as raw:
            await raw.send_request(wire, "GET", headers={"accept": "text/event-stream"})
            await raw.read_until(b"\r\n\r\n")
            text = "x" * 10_000
            await eventually(lambda: site.live().open_streams == 1)
            (healthy,) = site.switchroom.directory.streams(site.live().record.id)
            assert healthy.written_at is not None and healthy.blocked_since is None and healthy.queued == 0
            sent = 0
            blocked: list[int | None] = []
            while site.live().open_streams:
                stalled = site.switchroom.directory.streams(site.live().record.id)
                blocked += [each.queued for each in stalled if each.blocked_since is not None]
                assert text_of((await wire.call("tell", text=text)).last) == "told"
                sent += 1
                assert sent < 2_000
            assert text_of((await wire.call("echo", text="others go on")).last) == "others go on"
            assert await raw.read_to_end() > 0
            assert max(each or 0 for each in blocked) > 1, "while a write waits, the stream tells how much waits"
            (ended,) = await stream_notes(site, "closed")
            assert ended["why"] == "slow"
        async with wire.listening() as stream:
            assert (await stream.message())["params"]["data"] == text
    # The one case that ASGI gives no other way to end: the client is neither gone nor served.
    assert {record.getMessage() for record in caplog.records if record.levelname == "ERROR"} <= {
        "ASGI callable returned without completing response."
    }
    caplog.clear()


async def test_expiring_a_session_does_not_wait_for_its_stalled_reader(caplog: pytest.LogCaptureFixture) -> None:
    async with running(Toolbox().mcp, send_timeout_seconds=30) as site, session(site.url) as wire:
        live = site.live()
        async with raw_connection(site.url, buffer=1 << 12) as raw:
            await raw.send_request(wire, "GET", headers={"accept": "text/event-stream"})
            await raw.read_until(b"\r\n\r\n")
            for _ in range(30):
                await wire.call("tell", text="x" * 250_000)
            await site.switchroom.operations.expire(OPERATOR, "stalled", session_ids=[live.record.id])
            await eventually(lambda: not live.streams)
            assert live.record.id not in site.switchroom.engine.by_id
            await raw.read_to_end()
    caplog.clear()


async def test_leaving_at_any_moment_logs_no_error() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        for _ in range(10):
            async with wire.listening():
                pass
            async with wire.streaming(wire.call_message("emit", count=50, size=1000)):
                pass
            async with raw_connection(site.url) as raw:
                await raw.send_request(wire, "GET", headers={"accept": "text/event-stream"})
            async with raw_connection(site.url) as raw:
                await raw.send_request(wire, "POST", b'{"jsonrpc":"2.0","id":"gone","method":"ping"}')
        await eventually(lambda: site.live().in_flight == 0 and not site.live().streams)
        assert text_of((await wire.call("echo", text="well")).last) == "well"
