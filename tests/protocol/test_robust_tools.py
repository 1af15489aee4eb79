"""Tools that are all or nothing, and errors with a code, by real clients of both eras."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest
from mcp import Client
from mcp.server.mcpserver import MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError

from switchroom.server import SessionData, ToolFailure, robust, session_data
from switchroom.server.errors import Conflict, StoreUnavailable
from switchroom.server.models import EventKind
from switchroom.server.store import EventQuery
from switchroom.server.tools import robust as robust_tools
from switchroom.server.tools import sessions
from tests.support.clients import connected, text_of
from tests.support.servers import Site, running

pytestmark = pytest.mark.anyio

ERAS = ["legacy", "auto"]
Data = Annotated[SessionData, Resolve(session_data)]


def shop() -> MCPServer:
    mcp = MCPServer("shop")
    sessions.add_to(mcp)
    robust_tools.add_to(mcp)

    @mcp.tool()
    @robust
    async def order(fails: str, data: Data, session_id: str | None = None) -> str:
        """Change three keys, and fail in the way that is asked for."""
        await data.set("count", await data.get("count", 0) + 1)
        await data.set("count", await data.get("count", 0) + 1)
        await data.delete("draft")
        await data.set("last", "tea", ttl_seconds=60)
        match fails:
            case "declined":
                raise ToolFailure("card_declined", "The card was declined. Try another one.", retry_after=30)
            case "plain":
                raise ToolError("not today")
            case "late":
                raise TimeoutError
            case "conflict":
                await data.set("last", "milk", if_version=7)
            case "crash":
                raise ZeroDivisionError("secret detail")
            case "caught":
                try:
                    await data.set("", 1)
                except ToolError:
                    return f"{await data.keys()}"
            case _:
                pass
        return f"{await data.keys()}"

    @mcp.tool()
    async def look(data: Data, session_id: str | None = None) -> str:
        """Return everything that is stored, with versions."""
        found = {name: [await data.get(name), (await data.entry(name)).version] for name in await data.keys()}  # type: ignore[union-attr]
        return json.dumps(found)

    @mcp.tool()
    async def draft(data: Data, session_id: str | None = None) -> str:
        """Store a draft."""
        await data.set("draft", "half")
        return "drafted"

    return mcp


class Caller(NamedTuple):
    client: Client
    own: dict[str, Any]

    async def call(self, tool: str, **arguments: Any) -> Any:
        return await self.client.call_tool(tool, {**self.own, **arguments})

    async def text(self, tool: str, **arguments: Any) -> str:
        return text_of(await self.call(tool, **arguments)).removeprefix(f"Error executing tool {tool}: ")


@asynccontextmanager
async def calling(site: Site, era: str) -> AsyncGenerator[Caller]:
    async with connected(site.url, mode=era) as (client, _):
        own = {"session_id": text_of(await client.call_tool("open_session", {}))} if era == "auto" else {}
        yield Caller(client, own)


def told_by(answer: Any) -> dict[str, Any]:
    """Return what an answer says of its error beside the text."""
    meta: dict[str, Any] = answer.meta or {}
    found: dict[str, Any] = meta.get("switchroom/error", {})
    return found


def session_of(site: Site) -> Any:
    return list(site.switchroom.engine.live())[-1]


async def key_events(site: Site) -> list[tuple[str | None, str]]:
    query = EventQuery(kinds=(EventKind.KEY,))
    page = await site.switchroom.directory.events(session_of(site).record.id, query)
    return [(event.method, json.loads(event.payload or "{}")["key"]) for event in page.events]


@pytest.mark.parametrize("era", ERAS)
async def test_a_tool_that_succeeds_keeps_everything_and_has_read_its_own_changes(era: str) -> None:
    async with running(shop()) as site, calling(site, era) as caller:
        await caller.text("draft")
        assert await caller.text("order", fails="") == "['count', 'last']"
        assert json.loads(await caller.text("look")) == {"count": [2, 2], "last": ["tea", 1]}
        assert session_of(site).record.key_count == 2
        assert await key_events(site) == [
            ("set", "draft"), ("set", "count"), ("set", "count"), ("delete", "draft"), ("set", "last")
        ]  # fmt: skip


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("fails", "code", "message"),
    [
        ("declined", "card_declined", "The card was declined. Try another one."),
        ("plain", None, "not today"),
        ("late", "timeout", "The tool took too long. Try again."),
        ("conflict", "conflict", 'Stored key "last" is at version 1, not 7: read it again.'),
    ],
)
async def test_a_tool_that_fails_changes_nothing_and_says_why(
    era: str, fails: str, code: str | None, message: str
) -> None:
    async with running(shop()) as site, calling(site, era) as caller:
        await caller.text("draft")
        answer = await caller.call("order", fails=fails)
        assert answer.is_error and text_of(answer) == f"Error executing tool order: {message}"
        told = told_by(answer)
        assert told.get("code") == code
        assert told.get("retryAfterSeconds") == {"card_declined": 30, "timeout": 1}.get(code or "")
        assert json.loads(await caller.text("look")) == {"draft": ["half", 1]}
        assert await key_events(site) == [("set", "draft")]


async def test_a_fault_of_the_tool_is_told_by_reference_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with running(shop()) as site, calling(site, "legacy") as caller:
        answer = await caller.call("order", fails="crash")
        assert "secret detail" not in text_of(answer)
        reference = text_of(answer).rpartition(" ")[2].rstrip(".")
        assert f"robust tool failed, reference {reference}" in caplog.text and "secret detail" in caplog.text
        assert answer.meta["switchroom/error"]["code"] == "internal"
        assert await caller.text("look") == "{}"
    caplog.clear()


async def test_an_error_that_the_tool_caught_is_not_its_answers() -> None:
    async with running(shop()) as site, calling(site, "legacy") as caller:
        answer = await caller.call("order", fails="caught")
        assert not answer.is_error and answer.meta is None
        assert json.loads(await caller.text("look"))["count"] == [2, 2]


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(shop()) as site, calling(site, "legacy") as caller:
        keys = site.switchroom.store.keys
        plain = keys.apply

        async def apply_late(session_no: int, *args: Any, **options: Any) -> None:
            await keys.put(session_no, "last", '"coffee"', size_bytes=8, limits=options["limits"])
            await plain(session_no, *args, **options)

        monkeypatch.setattr(keys, "apply", apply_late)
        answer = await caller.call("order", fails="")
        assert answer.meta["switchroom/error"]["code"] == Conflict.code
        assert json.loads(await caller.text("look")) == {"last": ["coffee", 1]}


@pytest.mark.parametrize("is_done", [False, True])
async def test_a_store_that_is_away_for_a_moment_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_done: bool
) -> None:
    async with running(shop(), db=f"sqlite:///{tmp_path}/a.db") as site, calling(site, "auto") as caller:
        keys, failures = site.switchroom.store.keys, iter(range(2))
        plain_apply, plain_get = keys.apply, keys.get

        async def apply(*args: Any, **options: Any) -> None:
            if next(failures, None) is not None:
                if is_done:  # its acknowledgement came too late
                    await plain_apply(*args, **options)
                raise StoreUnavailable("The store did not acknowledge in time.")
            await plain_apply(*args, **options)

        gets = iter(range(1))

        async def get(*args: Any) -> Any:
            if next(gets, None) is not None:
                raise StoreUnavailable("The store cannot be read.")
            return await plain_get(*args)

        monkeypatch.setattr(keys, "apply", apply)
        monkeypatch.setattr(keys, "get", get)
        assert await caller.text("order", fails="") == "['count', 'last']"
        assert json.loads(await caller.text("look")) == {"count": [2, 2], "last": ["tea", 1]}


async def test_a_store_that_stays_away_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(shop()) as site, calling(site, "legacy") as caller:

        async def apply(*args: Any, **options: Any) -> None:
            raise StoreUnavailable("The store did not acknowledge in time.")

        monkeypatch.setattr(site.switchroom.store.keys, "apply", apply)
        answer = await caller.call("order", fails="")
        assert answer.meta["switchroom/error"]["code"] == "store_unavailable"
        assert await caller.text("look") == "{}"


@pytest.mark.parametrize("era", ERAS)
async def test_robust_session_tool_counts_what_it_processed_and_nothing_it_refused(era: str) -> None:
    async with running(shop(), max_value_bytes=1_000) as site, calling(site, era) as caller:
        session_id = session_of(site).record.id
        assert await caller.text("robust_session_tool", data="tea") == (
            f"Processed 3 characters (#1 in session {session_id})"
        )
        assert "data that is not empty" in await caller.text("robust_session_tool", data=" ")
        assert "at most 1,000 bytes" in await caller.text("robust_session_tool", data="x" * 2_000)
        assert (await caller.text("robust_session_tool", data="milk")).startswith("Processed 4 characters (#2")


@pytest.mark.parametrize("era", ERAS)
async def test_operators_see_errors_by_code_of_a_session_and_of_the_server(era: str) -> None:
    async with running(shop()) as site, calling(site, era) as caller:
        for fails in ("declined", "declined", "plain"):
            await caller.call("order", fails=fails)
        await caller.call("order")
        session_id = session_of(site).record.id
        for groups in (
            await site.switchroom.directory.errors(session_id),
            await site.switchroom.directory.errors(),
        ):
            found = {group.code: group for group in groups}
            assert (found["card_declined"].times, found["card_declined"].target) == (2, "order")
            assert found["card_declined"].last_message == "The card was declined. Try another one."
            assert (found["tool_error"].times, found["invalid_arguments"].times) == (1, 1)
            assert groups[0].code == "card_declined" and groups[0].last_session == session_id
