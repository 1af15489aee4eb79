"""What sessions hold open, and that it is closed when they end, however they end."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from mcp.server.mcpserver import MCPServer, Resolve

from switchroom.server.engine.sweeper import Sweeper
from switchroom.server.models import Actor, EventKind, Role
from switchroom.server.resources import SessionResources, session_resources
from switchroom.server.resources.folders import Folders
from switchroom.server.store import EventQuery
from switchroom.server.tools import managed_resources, sessions
from tests.support.clients import connected, text_of
from tests.support.servers import Site, eventually, running
from tests.support.wire import client, session

pytestmark = pytest.mark.anyio

ERAS = ["legacy", "auto"]
OPERATOR = Actor("olga", Role.OPERATOR)
Resources = Annotated[SessionResources, Resolve(session_resources)]


class Thing:
    """Something with one way to be closed."""

    def __init__(self, log: list[str], name: str, way: str = "close", *, fails: bool = False, hangs: bool = False):
        self._log = log
        self._name = name
        self._fails = fails
        self._hangs = hangs
        if way == "aclose":
            self.aclose = self._close_slowly
        else:
            self.close = self._close

    def _close(self) -> None:
        self._log.append(self._name)
        if self._fails:
            raise OSError("the disk is gone")

    async def _close_slowly(self) -> None:
        self._log.append(self._name)
        if self._hangs:
            await asyncio.Event().wait()


class Managed:
    """Closed by leaving it."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    async def __aenter__(self) -> str:
        self._log.append("entered")
        return "value"

    async def __aexit__(self, *error: object) -> None:
        self._log.append("left")


class Holder:
    """A server whose tools open things, and what was closed, in order."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.elsewhere: Thing | None = Thing(self.closed, "elsewhere")
        self.mcp = MCPServer("holder")
        sessions.add_to(self.mcp)
        managed_resources.add_to(self.mcp)

        @self.mcp.tool()
        async def open_three(resources: Resources, session_id: str | None = None) -> str:
            """Open one of each sort."""
            resources.register(Thing(self.closed, "first"), name="first")
            resources.register(Thing(self.closed, "second", "aclose"), name="second")
            resources.on_end(lambda: self.closed.append("third"), name="third")
            return "opened"

        @self.mcp.tool()
        async def open_bad(resources: Resources, session_id: str | None = None) -> str:
            """Open what cannot be closed well, between two that can."""
            resources.register(Thing(self.closed, "first"), name="first")
            resources.register(Thing(self.closed, "broken", fails=True), name="broken")
            resources.register(Thing(self.closed, "stuck", "aclose", hangs=True), name="stuck")
            resources.register(Thing(self.closed, "last"), name="last")
            return "opened"

        @self.mcp.tool()
        async def enter(resources: Resources, session_id: str | None = None) -> str:
            """Enter a context manager."""
            return await resources.enter(Managed(self.closed), name="managed")

        @self.mcp.tool()
        async def borrow(resources: Resources, session_id: str | None = None) -> str:
            """Refer to what something else owns."""
            assert self.elsewhere is not None
            resources.register(self.elsewhere, name="borrowed", owned=False)
            return "borrowed"

        @self.mcp.tool()
        async def register_nonsense(resources: Resources, session_id: str | None = None) -> str:
            """Register what cannot be closed."""
            resources.register(42)
            return "registered"


@asynccontextmanager
async def calling(site: Site, era: str) -> AsyncGenerator[Any]:
    """Give a function that calls a tool in a session of that era and returns its text."""
    async with connected(site.url, mode=era) as (caller, _):
        own = {"session_id": text_of(await caller.call_tool("open_session", {}))} if era == "auto" else {}

        async def call(tool: str, **arguments: Any) -> str:
            result = await caller.call_tool(tool, {**own, **arguments})
            return text_of(result).removeprefix(f"Error executing tool {tool}: ")

        yield call


def session_of(site: Site) -> Any:
    return list(site.switchroom.engine.live())[-1]


def names(site: Site) -> list[str]:
    return [held.name for held in site.switchroom.directory.resources(session_of(site).record.id)]


@pytest.mark.parametrize("era", ERAS)
async def test_everything_is_closed_in_reverse_order_when_an_operator_ends_the_session(era: str) -> None:
    holder = Holder()
    async with running(holder.mcp) as site, calling(site, era) as call:
        await call("open_three")
        assert names(site) == ["first", "second", "third"]
        session_id = session_of(site).record.id
        await site.switchroom.operations.expire(OPERATOR, "over", session_ids=[session_id])
        assert holder.closed == ["third", "second", "first"]
        assert site.switchroom.resources.count() == 0


async def test_a_client_that_deletes_its_session_closes_what_it_held() -> None:
    holder = Holder()
    async with running(holder.mcp) as site, session(site.url) as wire:
        await wire.call("open_three")
        await wire.delete()
        await eventually(lambda: holder.closed == ["third", "second", "first"])


async def test_a_handle_that_is_closed_closes_what_it_held() -> None:
    holder = Holder()
    async with running(holder.mcp) as site, calling(site, "auto") as call:
        await call("open_three")
        await call("close_session")
        await eventually(lambda: holder.closed == ["third", "second", "first"])


async def test_an_idle_session_holds_nothing_any_more_but_a_hibernating_one_does() -> None:
    holder = Holder()
    async with running(holder.mcp, idle_seconds=1000) as site, session(site.url) as wire:
        await wire.call("open_three")
        sweeper = Sweeper(site.switchroom.engine)
        await sweeper.sweep(time.monotonic() + 600)
        assert session_of(site).resident is None and holder.closed == []
        await sweeper.sweep(time.monotonic() + 2_000)
        assert holder.closed == ["third", "second", "first"]


async def test_a_server_that_stops_closes_everything_of_sessions_that_will_go_on(tmp_path: Path) -> None:
    holder, folder = Holder(), tmp_path / "held"
    async with running(holder.mcp, resources_dir=str(folder)) as site, client(site.url) as wire:
        await wire.initialize()
        await wire.call("open_three")
        await wire.call("create_managed_resource", resource_type="file")
        assert list(folder.glob("run-*/*/file-1.txt"))
        await site.switchroom.engine.drain()
        assert session_of(site).record.state.is_live
    assert holder.closed == ["third", "second", "first"]
    assert list(folder.iterdir()) == []


async def test_what_fails_or_hangs_is_logged_by_name_and_the_rest_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    holder = Holder()
    async with running(holder.mcp, resource_close_seconds=0.05) as site, session(site.url) as wire:
        await wire.call("open_bad")
        session_id = session_of(site).record.id
        started = time.monotonic()
        await site.switchroom.operations.expire(OPERATOR, "over", session_ids=[session_id])
        assert time.monotonic() - started < 2
        assert holder.closed == ["last", "stuck", "broken", "first"]
        told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert f"resource 'stuck' of session {session_id}: not closed within 0.05 s" in told
        assert f"resource 'broken' of session {session_id}: OSError: the disk is gone" in told
        events = await site.switchroom.directory.events(session_id, EventQuery(kinds=(EventKind.LIFECYCLE,)))
        assert [e.method for e in events.events].count("resource_closed") == 4


@pytest.mark.parametrize("era", ERAS)
async def test_a_context_manager_is_left_when_the_session_ends(era: str) -> None:
    holder = Holder()
    async with running(holder.mcp) as site, calling(site, era) as call:
        assert await call("enter") == "value"
        await site.switchroom.operations.expire(OPERATOR, "over", session_ids=[session_of(site).record.id])
        assert holder.closed == ["entered", "left"]


async def test_what_something_else_owns_is_not_kept_alive_and_leaves_the_list_with_its_owner() -> None:
    holder = Holder()
    async with running(holder.mcp) as site, session(site.url) as wire:
        await wire.call("borrow")
        assert names(site) == ["borrowed"]
        holder.elsewhere = None
        gc.collect()
        assert names(site) == [] and holder.closed == []


@pytest.mark.parametrize("era", ERAS)
async def test_an_operator_closes_one_resource_and_the_session_goes_on(era: str) -> None:
    holder = Holder()
    async with running(holder.mcp) as site, calling(site, era) as call:
        await call("open_three")
        room, session_id = site.switchroom, session_of(site).record.id
        second = room.directory.resources(session_id)[1]
        closed = await room.operations.close_resource(OPERATOR, session_id, second.id, "leaks")
        assert (closed.name, closed.problem, holder.closed) == ("second", "", ["second"])
        assert (await room.operations.close_resource(OPERATOR, session_id, second.id, "leaks")).name is None
        entry = await room.directory.audit_entry(closed.action_id)
        assert (entry.action, entry.outcome) == ("close_resource", "done")
        assert await call("list_managed_resources") == f"Session {session_id} holds: first, third"


@pytest.mark.parametrize("era", ERAS)
async def test_a_managed_file_is_in_a_folder_of_its_sessions_own_and_goes_with_it(era: str, tmp_path: Path) -> None:
    async with running(Holder().mcp, resources_dir=str(tmp_path / "held")) as site, calling(site, era) as call:
        session_id = session_of(site).record.id
        answer = await call("create_managed_resource", resource_type="file")
        assert answer == f"Created file resource for session {session_id}: file-1.txt"
        assert (await call("create_managed_resource", resource_type="file")).endswith("file-2.txt")
        (folder,) = (tmp_path / "held").glob(f"run-*/{session_id}")
        assert {path.name for path in folder.iterdir()} == {"file-1.txt", "file-2.txt"}
        assert folder.stat().st_mode & 0o077 == 0
        assert await call("close_managed_resource", name="file-1.txt") == "Closed file-1.txt"
        unknown = await call("create_managed_resource", resource_type="../../etc/passwd")
        assert unknown == "Unknown resource type: '../../etc/passwd'. Known is: file."
        await site.switchroom.operations.expire(OPERATOR, "over", session_ids=[session_id])
        assert not folder.exists()
    assert list((tmp_path / "held").iterdir()) == []


async def test_a_session_holds_as_much_as_it_may_and_nothing_that_cannot_be_closed() -> None:
    async with running(Holder().mcp, max_resources=3) as site, calling(site, "legacy") as call:
        await call("open_three")
        assert "holds 3 resources, which is as many as it may" in await call("enter")
        assert (await call("register_nonsense")).startswith("This session holds 3")
        await call("close_managed_resource", name="third")
        assert "A int has neither aclose" in await call("register_nonsense")
        assert await call("close_managed_resource", name="nothing") == "This session holds no resource 'nothing'."


async def test_what_a_crash_left_behind_is_removed_at_the_next_start_and_nothing_else(tmp_path: Path) -> None:
    crashed, alive = Folders(str(tmp_path)), Folders(str(tmp_path))
    left, used = crashed.make("one"), alive.make("two")
    (left / "file.txt").write_text("left behind")
    lock = crashed._lock  # pyright: ignore[reportPrivateUsage]
    assert lock is not None
    os.close(lock)  # as the system does for a process that was killed
    assert await Folders(str(tmp_path)).start() == 1
    assert not left.exists() and used.exists()
    await alive.stop()


async def test_a_root_that_somebody_else_may_write_to_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    async with running(Holder().mcp, resources_dir=str(tmp_path / "open")) as site, calling(site, "legacy") as call:
        answer = await call("create_managed_resource", resource_type="file")
        assert "is not a folder that only this user can write to" in caplog.text
        caplog.clear()
        assert answer == "This server has nowhere to keep files at the moment. Ask its operator."
