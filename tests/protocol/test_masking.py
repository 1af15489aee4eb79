"""Secrets of calls: the client gets them, also when it resumes; the log never has them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer
from pydantic import SecretStr

from switchroom.server.models import Actor, EventKind, Role
from switchroom.server.sealing import make_key
from switchroom.server.store import SqliteStore
from switchroom.server.transport.masking import KEY_GONE
from tests.support.clients import connected, text_of
from tests.support.secret_tools import PASSWORD, TOKEN, events, log_of, site, vault
from tests.support.servers import running
from tests.support.wire import client, session

pytestmark = pytest.mark.anyio

ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])


@ERAS
async def test_a_secret_argument_and_its_echoes_are_masked(mode: str) -> None:
    async with site() as served, connected(served.url, mode=mode) as (caller, hearing):
        answer = await caller.call_tool("login", {"name": "ann", "password": PASSWORD})
        assert text_of(answer) == f"ann:{PASSWORD}"
        if mode == "legacy":
            await hearing.until_logged(f"ann sent {PASSWORD}")
        refused = await caller.call_tool("refuse", {"password": PASSWORD})
        assert refused.is_error and PASSWORD in text_of(refused)
        log = await log_of(served)
        assert PASSWORD not in log and "ann:[redacted]" in log and "[redacted] is wrong" in log
        assert ("ann sent [redacted]" in log) is (mode == "legacy")


@ERAS
async def test_a_secret_result_reaches_its_client_alone(mode: str) -> None:
    async with site() as served, connected(served.url, mode=mode) as (caller, _):
        assert text_of(await caller.call_tool("issue", {})) == TOKEN
        answer = await caller.call_tool("account", {})
        assert answer.structured_content == {"owner": "ann", "number": TOKEN}
        assert text_of(await caller.call_tool("discover", {})) == f"found {TOKEN}"
        log = await log_of(served)
        assert TOKEN not in log and "ann" in log and "found [redacted]" in log
        found = await events(served)
        assert TOKEN not in repr(found)
        answers = [event for event in found if event.payload is not None and "[redacted]" in event.payload]
        assert len(answers) == 3
        # Only the handshake era can resume, so only there the whole answer is kept, sealed.
        assert all((event.sealed is not None) is (mode == "legacy") for event in answers)
        assert all(event.size_bytes != len(event.payload or "") for event in answers)


async def test_a_client_that_resumes_gets_the_whole_answer() -> None:
    async with site(stream_after_seconds=5) as served, session(served.url) as wire:
        async with wire.streaming(wire.call_message("issue_slowly", token="p")) as stream:
            await stream.rest()
        async with wire.listening(stream.last_id) as again:
            answer = await again.until(lambda message: "result" in message)
        assert answer["result"]["structuredContent"] == {"result": TOKEN}
        assert TOKEN not in repr(await events(served))


@pytest.mark.parametrize("is_lasting", [True, False])
async def test_after_a_restart_the_answer_is_whole_with_a_key_ring_and_explained_without(
    tmp_path: Path, is_lasting: bool
) -> None:
    keys: dict[str, Any] = {"secret_keys": make_key("k1")} if is_lasting else {}
    path = tmp_path / "s.db"
    async with running(vault(), store=SqliteStore(path), **keys) as served, session(served.url) as wire:
        async with wire.streaming(wire.call_message("issue_slowly", token="p")) as stream:
            await stream.rest()
        async with asyncio.timeout(5):
            while not [e for e in await events(served) if e.kind is EventKind.RESPONSE and e.method == "tools/call"]:
                await asyncio.sleep(0.01)
    assert TOKEN.encode() not in path.read_bytes()
    async with running(vault(), store=SqliteStore(path), **keys) as served:
        async with client(served.url) as back:
            back.session_id, back.version = wire.session_id, wire.version
            async with back.listening(stream.last_id) as again:
                message = await again.until(lambda each: "id" in each)
        if is_lasting:
            assert message["result"]["structuredContent"] == {"result": TOKEN}
        else:
            assert message["error"]["message"] == KEY_GONE


async def test_a_redacted_message_is_not_replayed() -> None:
    async with site() as served, connected(served.url) as (caller, hearing):
        await caller.call_tool("login", {"name": "ann", "password": PASSWORD})
        await hearing.until_logged(f"ann sent {PASSWORD}")
        live = served.live()
        (told,) = [event for event in await events(served) if event.method == "notifications/message"]
        operator = Actor("ann", Role.OPERATOR)
        result = await served.switchroom.operations.replay(operator, live.record.id, seqs=[told.seq])
        assert [(item.status, item.reason) for item in result.items] == [
            ("skipped", "it held a secret, which is not sent again")
        ]


async def test_a_tool_that_comes_later_is_known_by_its_first_call() -> None:
    mcp = vault()
    async with running(mcp) as served, connected(served.url) as (caller, _):
        await caller.call_tool("issue", {})

        @mcp.tool()
        async def later(password: SecretStr) -> str:
            """Take a secret."""
            return "thanks"

        await caller.call_tool("later", {"password": PASSWORD})
        mcp.remove_tool("issue")

        @mcp.tool()
        async def issue(password: SecretStr) -> str:
            """Take a secret under a name that had none."""
            return "thanks"

        await caller.call_tool("issue", {"password": PASSWORD})
        assert PASSWORD not in await log_of(served)


@ERAS
async def test_an_error_that_quotes_a_long_secret_in_part_does_so_to_its_client_alone(mode: str) -> None:
    mcp: MCPServer[Any] = MCPServer("quoting")
    head, tail = "sk-live-0123456789", "9876543210-the-end"
    long = f"{head}{'x' * 60}{tail}"

    @mcp.tool()
    async def login(user: str, password: SecretStr) -> str:
        """Take a secret."""
        return "thanks"

    async with running(mcp) as served, connected(served.url, mode=mode) as (caller, _):
        for given in (
            {"password": long},
            {"user": "ana", "password": [long]},
            {"user": "ana", "password": {"a": long}},
        ):
            assert tail in text_of(await caller.call_tool("login", given))
        kept = await log_of(served)
        assert head not in kept and tail not in kept and "input_value=[redacted]" in kept


async def test_a_call_without_marks_is_logged_as_it_was_sent() -> None:
    async with site() as served, session(served.url) as wire:
        message = wire.call_message("discover", unknown=PASSWORD)
        await wire.post(message)
        (request,) = [event for event in await events(served) if event.method == "tools/call" and not event.related_seq]
        assert json.loads(request.payload or "") == message


@ERAS
async def test_what_a_prompt_or_a_resource_hides_reaches_its_client_alone(mode: str) -> None:
    async with site() as served, connected(served.url, mode=mode) as (caller, _):
        prompt: Any = (await caller.get_prompt("greeting")).messages[0].content
        resource: Any = (await caller.read_resource("vault://token")).contents[0]
        assert (prompt.text, resource.text) == (f"say {TOKEN}", f"it is {TOKEN}")
        log = await log_of(served)
        assert TOKEN not in log and "say [redacted]" in log and "it is [redacted]" in log
