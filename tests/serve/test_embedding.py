"""Switchroom inside somebody else's application, and without its console."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI, Request, Response
from fastmcp import Context, FastMCP
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette

from switchroom.dashboard import mount_console
from switchroom.server import Settings, attach
from switchroom.server.filters import parse_filter
from tests.support.clients import connected, text_of
from tests.support.servers import serving

pytestmark = pytest.mark.anyio

MEMORY = Settings(db="memory:")


def adder() -> MCPServer:
    mcp = MCPServer("adder")

    @mcp.tool()
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    return mcp


def their_app(log: list[str]) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, str]]:
        log.append("started")
        yield {"theirs": "state"}
        log.append("stopped")

    app = FastAPI(lifespan=lifespan)

    @app.middleware("http")
    async def stamp(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["x-theirs"] = "yes"
        return response

    @app.get("/before")
    async def before(request: Request) -> dict[str, str]:
        return {"state": request.state.theirs}

    return app


async def test_an_application_keeps_its_routes_middleware_and_lifespan() -> None:
    log: list[str] = []
    app = their_app(log)
    mount_console(app, adder(), settings=MEMORY)

    @app.get("/api/v1/theirs")
    async def later() -> str:
        return "theirs"

    async with serving(app) as base, httpx2.AsyncClient(base_url=base) as http:
        assert log == ["started"]
        assert (await http.get("/before")).json() == {"state": "state"}
        assert (await http.get("/api/v1/theirs")).json() == "theirs"
        assert (await http.get("/nothing")).status_code == 404
        assert "/admin/" not in (await http.get("/openapi.json")).text
        own = await http.get("/before")
        assert "content-security-policy" not in own.headers
        console = await http.get("/admin/", headers={"accept": "text/html"})
        assert console.status_code == 303 and console.headers["location"].startswith("/admin/login")
        assert "content-security-policy" in console.headers
        assert (await http.get("/api/v1/sessions")).status_code == 401
        async with connected(f"{base}/mcp") as (client, _):
            assert text_of(await client.call_tool("add", {"a": 2, "b": 3})) == "5"
        async with connected(f"{base}/mcp", mode="auto") as (client, _):
            assert text_of(await client.call_tool("add", {"a": 2, "b": 3})) == "5"
    assert log == ["started", "stopped"]


async def test_a_missing_lifespan_is_said_in_one_sentence() -> None:
    app = FastAPI()
    mount_console(app, adder(), settings=MEMORY)
    async with serving(app, lifespan="off") as base, httpx2.AsyncClient(base_url=base) as http:
        for path in ("/mcp", "/admin/", "/api/v1/sessions"):
            answer = await http.get(path)
            assert answer.status_code == 503
            assert "run this app with its lifespan" in answer.text


async def test_a_console_that_fails_never_touches_mcp() -> None:
    app = FastAPI()
    room = mount_console(app, adder(), settings=MEMORY)
    async with serving(app) as base, httpx2.AsyncClient(base_url=base) as http:
        del room.directory.changes  # whatever a page needs first
        room.directory.sessions = None  # type: ignore[assignment, method-assign]
        assert (await http.get("/api/v1/sessions", headers={"authorization": "Bearer sr_x"})).status_code >= 400
        async with connected(f"{base}/mcp") as (client, _):
            assert text_of(await client.call_tool("add", {"a": 1, "b": 1})) == "2"


async def test_a_server_is_attached_without_a_console() -> None:
    room = attach(adder(), settings=MEMORY)
    async with serving(room.app) as base, connected(f"{base}/mcp", name="headless") as (client, _):
        assert text_of(await client.call_tool("add", {"a": 1, "b": 2})) == "3"
        page = await room.directory.sessions(parse_filter("client:headless"))
        assert [session.client_name for session in page.items] == ["headless"]


async def test_several_servers_share_one_console_and_each_session_says_whose_it_is() -> None:
    app = FastAPI()
    room = mount_console(app, {"/one/mcp": adder(), "/two/mcp": adder()}, settings=MEMORY)
    async with serving(app) as base:
        async with (
            connected(f"{base}/one/mcp", name="c1") as (one, _),
            connected(f"{base}/two/mcp", name="c2") as (two, _),
        ):
            assert text_of(await one.call_tool("add", {"a": 1, "b": 2})) == "3"
            assert text_of(await two.call_tool("add", {"a": 2, "b": 2})) == "4"
            page = await room.directory.sessions(parse_filter("state:live"))
            assert {session.client_name: session.server for session in page.items} == {"c1": "adder", "c2": "adder-2"}


async def test_a_fastmcp_server_keeps_its_lifespan_and_its_session_state() -> None:
    @asynccontextmanager
    async def lifespan(server: object) -> AsyncGenerator[dict[str, str]]:
        yield {"database": "open"}

    mcp = FastMCP("fast", lifespan=lifespan)

    @mcp.tool
    async def count(ctx: Context) -> str:
        seen = (await ctx.get_state("seen") or 0) + 1
        await ctx.set_state("seen", seen)
        return f"{seen} {ctx.lifespan_context['database']}"

    room = attach(mcp, settings=MEMORY)
    async with serving(room.app) as base:
        async with connected(f"{base}/mcp", name="fast-client") as (client, _):
            assert text_of(await client.call_tool("count")) == "1 open"
            assert text_of(await client.call_tool("count")) == "2 open"
            page = await room.directory.sessions(parse_filter("client:fast-client"))
            assert [(session.server, session.status) for session in page.items] == [("fast", "active")]
        async with connected(f"{base}/mcp", mode="auto") as (modern, _):
            assert text_of(await modern.call_tool("count")) == "1 open"


async def test_an_outer_application_may_run_the_lifespan_itself() -> None:
    room = attach(adder(), settings=MEMORY)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with room.app.router.lifespan_context(room.app):
            yield

    outer = Starlette(lifespan=lifespan)
    outer.mount("/", room.app)
    async with serving(outer) as base, connected(f"{base}/mcp") as (client, _):
        assert text_of(await client.call_tool("add", {"a": 4, "b": 4})) == "8"
