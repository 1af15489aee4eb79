"""A quiet session leaves memory and comes back unchanged; a restart is the same path."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from pathlib import Path
from typing import Any

import pytest

from switchroom.server.engine.sweeper import Sweeper
from switchroom.server.filters import parse_filter
from switchroom.server.models import Actor, DeliveryStatus, Direction, EventKind, Role, SessionState
from switchroom.server.store import EventQuery, SqliteStore
from tests.support.guards import Tokens, Witness, guarded_toolbox
from tests.support.servers import Site, eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import Wire, client, session, text_of

pytestmark = pytest.mark.anyio

OPERATOR = Actor("ann", Role.OPERATOR)


async def let_sleep(site: Site) -> None:
    """Sweep as if every session had been quiet for ten minutes."""
    await Sweeper(site.switchroom.engine).sweep(time.monotonic() + 600)


async def test_a_quiet_session_hibernates_and_its_next_request_finds_it_unchanged() -> None:
    box, witness = Toolbox(), Witness()
    box.mcp.middleware.append(witness)
    async with running(box.mcp) as site, session(site.url, capabilities={"elicitation": {}}) as wire:
        await wire.request("logging/setLevel", {"level": "error"})
        before = site.live().record.epoch
        await let_sleep(site)
        assert site.live().resident is None
        assert site.switchroom.directory.health().hibernated == 1
        assert site.live().record.state is SessionState.INITIALIZED
        async with wire.streaming(wire.call_message("ask")) as stream:
            asked = await stream.until(lambda m: m.get("method") == "elicitation/create")
            await wire.answer(asked["id"], {"action": "decline"})
            assert text_of((await stream.rest())[-1]) == "decline"
        resident = site.live().resident
        assert resident.connection.client_params.client_info.name == "wire"
        assert resident.connection.client_capabilities.elicitation is not None
        assert resident.connection.session_id == wire.session_id
        assert resident.connection.initialized.is_set()
        assert (site.live().record.epoch, site.live().record.log_level) == (before, "error")
        assert (witness.seen["initialize"], witness.seen["notifications/initialized"]) == (1, 1)


async def test_a_hibernated_session_resumes_streams_and_hears_broadcasts() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        async with wire.listening() as stream:
            await stream.next()
            held = stream.last_id
        await eventually(lambda: not site.live().streams)
        await let_sleep(site)
        await site.switchroom.operations.broadcast(OPERATOR, text="wake up")
        assert site.live().resident is None
        async with wire.listening(held) as resumed:
            assert (await resumed.message())["params"]["data"] == "wake up"


async def test_a_session_that_is_not_initialized_yet_hibernates_as_it_is() -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        await wire.initialize(announce=False)
        await let_sleep(site)
        assert site.live().resident is None
        assert text_of((await wire.call("echo", text="hi")).last) == "hi"
        assert not site.live().resident.connection.initialized.is_set()
        assert (await wire.notify("notifications/initialized")).status == 202
        await eventually(lambda: site.live().resident.connection.initialized.is_set())


@pytest.mark.parametrize("keeper", ["state", "clean-up", "call"])
async def test_what_would_be_lost_keeps_a_session_awake(keeper: str) -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        connection = site.live().resident.connection
        if keeper == "state":
            connection.state["scratch"] = 1
        if keeper == "clean-up":
            connection.exit_stack.push_async_callback(wire.cancel, 1)
        call = wire.streaming(wire.call_message("wait"))
        if keeper == "call":
            await (await call.__aenter__()).next()
        await let_sleep(site)
        assert site.live().resident.connection is connection
        box.let_go()
        if keeper == "call":
            await call.__aexit__(None, None, None)


async def test_a_held_stream_goes_on_through_hibernation() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire, wire.listening() as stream:
        await stream.next()
        outbound = site.live().resident.connection.outbound
        await let_sleep(site)
        assert site.live().resident is None
        # A server may have kept the connection for what it tells its clients later.
        await outbound.notify("notifications/message", {"level": "info", "data": "kept"})
        assert (await stream.message())["params"]["data"] == "kept"
        await wire.call("tell", text="awake again")
        assert (await stream.message())["params"]["data"] == "awake again"


# -- restarts ----------------------------------------------------------------------------------


def stored(path: Path) -> SqliteStore:
    return SqliteStore(path / "sessions.db")


def moved(wire: Wire, site: Site) -> Wire:
    """Point a client that was connected to the server before its restart to the one after it."""
    wire.url = site.url
    return wire


async def test_a_session_goes_on_after_a_restart(tmp_path: Path) -> None:
    box, witness = Toolbox(), Witness()
    box.mcp.middleware.append(witness)
    async with client("") as wire:
        async with running(box.mcp, store=stored(tmp_path)) as site:
            await moved(wire, site).initialize(capabilities={"roots": {}})
            async with wire.listening() as stream:
                await stream.next()
                await wire.call("tell", text="before")
                await stream.message()
                held = stream.last_id
            before = site.live().record
        second = Toolbox()
        second.mcp.middleware.append(witness)
        async with running(second.mcp, store=stored(tmp_path)) as site:
            live = site.live()
            assert (live.record.id, live.record.state, live.record.epoch) == (before.id, SessionState.DETACHED, 2)
            assert live.record.request_count == before.request_count
            await site.switchroom.operations.broadcast(OPERATOR, text="while away")
            async with moved(wire, site).listening(held) as resumed:
                assert (await resumed.message())["params"]["data"] == "while away"
                await wire.call("tell", text="after")
                assert (await resumed.message())["params"]["data"] == "after"
            assert live.record.state is SessionState.INITIALIZED
            assert live.resident.connection.client_capabilities.roots is not None
            page = await site.switchroom.directory.events(live.record.id, EventQuery(limit=1000))
            assert [event.seq for event in page.events] == list(range(1, len(page.events) + 1))
    assert (witness.seen["initialize"], witness.seen["notifications/initialized"]) == (1, 1)


async def test_a_call_that_a_crash_cut_short_is_answered_on_revival(tmp_path: Path) -> None:
    box = Toolbox()
    async with client("") as wire:
        async with running(box.mcp, store=stored(tmp_path)) as site:
            await moved(wire, site).initialize()
            live = site.live()
            done = await wire.call("echo", id="done", text="hi")
            # What a crash leaves: requests in the log, and no answer to them.
            for request_id in ('"lost"', "7"):
                live.write(*crashed_request(request_id), stream=-1, request_id=request_id)
            lost = live.record.last_seq - 1
            held = f"{live.record.id}.{live.record.epoch:x}.{lost:x}.{lost:x}"
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            async with moved(wire, site).listening(held) as resumed:
                (answer,) = await resumed.rest()
                assert (answer["id"], answer["error"]["code"]) == ("lost", -32001)
                assert "restarted before this request finished" in answer["error"]["message"]
            async with wire.listening(done.events[0].id) as resumed:
                assert text_of((await resumed.rest())[-1]) == "hi"
            page = await site.switchroom.directory.events(site.live().record.id, EventQuery(errors_only=True))
            assert [event.request_id for event in page.events] == ['"lost"', "7"]
            assert text_of((await wire.call("echo", id="lost", text="again")).last) == "again"


def crashed_request(request_id: str) -> tuple[Any, ...]:
    message = f'{{"jsonrpc":"2.0","id":{request_id},"method":"tools/call","params":{{"name":"wait"}}}}'
    return Direction.FROM_CLIENT, EventKind.REQUEST, "tools/call", message


async def test_a_broadcast_queued_before_a_restart_is_delivered_once_after_it(tmp_path: Path) -> None:
    async with client("") as wire:
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            await moved(wire, site).initialize()
            sent = await site.switchroom.operations.broadcast(OPERATOR, text="queued")
            await eventually(lambda: site.live().record.last_seq > 5)
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            async with moved(wire, site).listening() as stream:
                assert (await stream.message())["params"]["data"] == "queued"
                await wire.call("tell", text="next")
                assert (await stream.message())["params"]["data"] == "next"
            async with asyncio.timeout(5):  # receipts are written a moment after what they tell
                while (now := await site.switchroom.directory.broadcast(sent.id)).counts["delivered"] == 0:
                    await asyncio.sleep(0.01)
            assert (now.counts[DeliveryStatus.DELIVERED.value], now.audience) == (1, 1)
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            async with moved(wire, site).listening() as stream:
                await stream.next()
                await wire.call("tell", text="only this")
                assert (await stream.message())["params"]["data"] == "only this"


async def test_an_event_id_of_the_future_of_an_earlier_epoch_is_refused(tmp_path: Path) -> None:
    """After a power cut the log may be shorter than what a client holds; its id must match nothing newer."""
    async with client("") as wire:
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            await moved(wire, site).initialize()
            record = site.live().record
            beyond = f"{record.id}.{record.epoch:x}.{record.last_seq + 3:x}.0"
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            moved(wire, site)
            for _ in range(5):
                await wire.call("tell", text="newer")
            assert (await wire.refused_get(beyond)).status_code == 400


async def test_the_owner_is_checked_after_a_restart_too(tmp_path: Path) -> None:
    tokens = Tokens()
    mine, theirs = tokens.issue("mine", "ann"), tokens.issue("theirs", "bob")
    async with client("", token=mine) as wire, client("", token=theirs) as thief:
        async with running(guarded_toolbox(tokens).mcp, store=stored(tmp_path)) as site:
            await moved(wire, site).initialize()
        async with running(guarded_toolbox(tokens).mcp, store=stored(tmp_path)) as site:
            thief.session_id = wire.session_id
            assert (await moved(thief, site).call("echo", text="hi")).status == 404
            assert site.live().record.state is SessionState.DETACHED
            assert text_of((await moved(wire, site).call("echo", text="hi")).last) == "hi"


async def test_an_ended_session_stays_ended_after_a_restart_and_says_why(tmp_path: Path) -> None:
    async with client("") as wire:
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            await moved(wire, site).initialize()
            await site.switchroom.operations.expire(OPERATOR, "for good", query=parse_filter(""))
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            answer = await moved(wire, site).call("echo", text="hi")
            assert (answer.status, answer.last["error"]["data"]["reason"]) == (404, "for good")


async def test_a_restart_does_not_expire_who_could_not_be_heard(tmp_path: Path) -> None:
    async with client("") as wire:
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            await moved(wire, site).initialize()
            site.live().record.last_activity_at -= 7200
            site.live().touch()
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            await Sweeper(site.switchroom.engine).sweep(time.monotonic())
            assert text_of((await moved(wire, site).call("echo", text="hi")).last) == "hi"


async def test_a_handshake_that_a_crash_cut_short_leaves_no_session(tmp_path: Path) -> None:
    async with running(Toolbox().mcp, store=stored(tmp_path)) as site, client(site.url) as wire:
        await wire.initialize()
        site.live().record.init = None  # as a crash before the answer leaves it
        site.live().record.state = SessionState.INITIALIZING
        site.live().touch()
    async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
        assert site.switchroom.engine.by_id == {}
        (seen,) = (await site.switchroom.directory.sessions(parse_filter(""))).items
        assert (seen.state, seen.end_reason) == (SessionState.REJECTED, "the server restarted during its handshake")


async def test_a_restart_with_many_sessions_revives_only_those_that_come_back(tmp_path: Path) -> None:
    async with client("") as one, client("") as two:
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            await moved(one, site).initialize()
            await moved(two, site).initialize()
        async with running(Toolbox().mcp, store=stored(tmp_path)) as site:
            await moved(one, site).call("echo", text="hi")
            states = sorted(live.record.state for live in site.switchroom.engine.by_id.values())
            assert states == [SessionState.DETACHED, SessionState.INITIALIZED]


async def test_a_hibernating_session_leaves_memory_at_once() -> None:
    """Nothing it leaves behind refers to itself: memory is freed without the cyclic collector."""
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        await wire.call("echo", text="used")
        left = weakref.ref(site.live().resident.connection)
        gc.disable()
        try:
            await let_sleep(site)
            assert left() is None
        finally:
            gc.enable()
