"""Who may read what: messages to some, handles of another server, streams that are the session itself."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx2
import mcp_types
import pytest
from fastapi import FastAPI
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from pydantic import AnyHttpUrl

from switchroom.dashboard import mount_console
from switchroom.server import Settings, attach
from switchroom.server.filters import parse_filter
from switchroom.server.models import Actor, Role
from switchroom.server.modern.announcements import URI
from switchroom.server.store.base import EventQuery
from switchroom.server.tools import bundled_server
from tests.support.clients import connected, text_of
from tests.support.processes import failing_command, serving
from tests.support.servers import eventually
from tests.support.servers import serving as hosting

pytestmark = pytest.mark.anyio

MEMORY = Settings(db="memory:")
ANA = Actor("ana", Role.OPERATOR)
SHORT = {"Authorization": "Bearer short"}


async def test_a_message_to_some_is_read_by_nobody_else() -> None:
    room = attach(bundled_server(), settings=MEMORY)
    async with (
        hosting(room.app) as base,
        connected(f"{base}/mcp", mode="auto", name="alice") as (alice, _),
        connected(f"{base}/mcp", mode="auto", name="bob") as (bob, _),
    ):
        await alice.call_tool("echo", {"text": "here"})
        await bob.call_tool("echo", {"text": "here"})
        await room.operations.broadcast(ANA, text="for alice alone", query=parse_filter("client:alice"))
        await room.operations.broadcast(ANA, text="for everybody")
        heard = await read_until(alice, "for everybody")
        assert "for alice alone" in heard
        assert "for alice alone" not in await read_until(bob, "for everybody")


async def read_until(client: Client, text: str) -> str:
    async with asyncio.timeout(5):
        while text not in (read := str(await client.read_resource(URI, cache_mode="refresh"))):
            await asyncio.sleep(0.01)
    return read


async def test_a_handle_is_worth_nothing_on_another_server() -> None:
    app = FastAPI()
    mount_console(app, {"/one": bundled_server("one"), "/two": bundled_server("two")}, settings=MEMORY)
    async with hosting(app) as base:
        async with connected(f"{base}/one", mode="auto") as (one, _), connected(f"{base}/two", mode="auto") as (two, _):
            handle = text_of(await one.call_tool("open_session"))
            await one.call_tool("set_session_data", {"key": "k", "value": "v", "session_id": handle})
            answer = text_of(await two.call_tool("get_session_data", {"key": "k", "session_id": handle}))
            assert "Unknown session_id" in answer


async def test_a_client_cannot_blank_its_own_log() -> None:
    room = attach(bundled_server(), settings=MEMORY)
    async with hosting(room.app) as base, connected(f"{base}/mcp", mode="auto", name="sly") as (client, _):
        await client.call_tool("echo", {"text": "aaaa", "session_id": '"'})
        (session,) = await room.directory.clients()
        page = await room.directory.events(session.id, EventQuery())
        assert all(json.loads(event.payload or "{}")["jsonrpc"] == "2.0" for event in page.events)


class Verifier:
    """Takes any token for the person it names."""

    async def verify_token(self, token: str) -> AccessToken | None:
        lifetime = 1 if token == "short" else 60
        return AccessToken(
            token=token, client_id="app", subject=token, scopes=[], expires_at=int(time.time()) + lifetime
        )


def protected_server() -> MCPServer:
    url = AnyHttpUrl("http://127.0.0.1:1/")
    auth = AuthSettings(issuer_url=url, resource_server_url=url, validate_token_resource=False)
    mcp = MCPServer("protected", auth=auth, token_verifier=Verifier())

    @mcp.tool()
    async def wait() -> str:
        """Wait for ever."""
        await asyncio.Event().wait()
        return "never"

    return mcp


async def test_http_sse_with_tokens_is_recorded_and_a_cancelled_call_is_over() -> None:
    mcp = protected_server()
    room = attach(mcp, settings=MEMORY)
    leg = room.attach_sse(mcp)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        is_sse = scope["type"] == "http" and leg.serves(scope["path"])
        await (leg if is_sse else room.app)(scope, receive, send)

    info = mcp_types.Implementation(name="older", version="1")
    headers = {"Authorization": "Bearer alice"}
    async with hosting(app) as base:
        async with Client(sse_client(f"{base}/sse", headers=headers), mode="legacy", client_info=info) as client:
            await client.list_tools()
            (session,) = (await room.directory.sessions(parse_filter("kind:sse"))).items
            assert (session.client_name, session.principal, session.status) == ("older", "alice", "active")
            assert session.request_count == 2
            call = asyncio.create_task(client.call_tool("wait"))
            await eventually(lambda: room.directory.in_flight(session.id))
            call.cancel()
            await eventually(lambda: not room.directory.in_flight(session.id))


async def test_a_listen_stream_ends_when_its_token_expires() -> None:
    room = attach(protected_server(), settings=MEMORY)
    async with hosting(room.app) as base, httpx2.AsyncClient(headers=SHORT, timeout=30) as http:
        transport = streamable_http_client(f"{base}/mcp", http_client=http)
        async with (
            Client(transport, mode="auto") as client,
            client.listen(resource_subscriptions=[URI]) as subscription,
        ):
            async with asyncio.timeout(15):
                assert [event async for event in subscription] == []


async def test_the_one_stream_of_an_sse_session_is_not_closed_but_expired(tmp_path: Path) -> None:
    with serving(tmp_path, "--sse") as served:
        async with served.api() as api, Client(sse_client(f"{served.base}/sse"), mode="legacy") as client:
            await client.list_tools()
            (session,) = (await api.get("/sessions", params={"q": "kind:sse"})).json()["items"]
            body = {"reason": "no reason"}
            answer = await api.post(f"/sessions/{session['id']}/streams/0/closing", json=body)
            assert answer.status_code == 409 or answer.status_code == 422, answer.text
            assert "expire the session" in answer.json()["detail"]


async def test_probes_are_answered_whatever_host_they_name(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        async with httpx2.AsyncClient(base_url=served.base, headers={"Host": "10.1.2.3:8000"}) as http:
            assert (await http.get("/healthz")).status_code == 200
            assert (await http.get("/readyz")).json() == {"status": "ready", "store": "ok"}
            assert (await http.get("/admin/")).status_code == 421


def test_a_database_that_is_not_there_is_not_called_whole(tmp_path: Path) -> None:
    assert "There is no database" in failing_command(tmp_path, "audit", "verify", "--db", "sqlite:///typo.db")
    assert list(tmp_path.iterdir()) == []
