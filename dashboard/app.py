"""Putting the console together: its application, its place in another one, and a whole server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..server.accounts import Accounts, open_accounts
from ..server.attach import McpServer, Switchroom, switchroom
from ..server.entries import entries
from ..server.operations import Resolver
from ..server.settings import Settings
from ..server.sign_in import UserVerifier
from ..server.transport.leg import NOT_RUNNING
from ..server.transport.sse_leg import SseLeg
from . import metrics
from .actions import action_routers
from .api import api_routers
from .assets import load_assets
from .errors import install_error_handlers
from .first_run import prepare_first_run
from .guard import Guard, with_security_headers
from .pages import page_routers
from .problems import Problem
from .templating import Templates
from .urls import Urls

logger = logging.getLogger("switchroom.console")


@dataclass(frozen=True, slots=True)
class Console:
    """The console of one process: what it shows, who may see it, and its ASGI application."""

    switchroom: Switchroom
    accounts: Accounts
    urls: Urls
    app: FastAPI

    @asynccontextmanager
    async def running(self, *, invites: bool = False) -> AsyncGenerator[None]:
        """Open the accounts and run every attached server with its engine.

        Args:
            invites: Log a one-time sign-in link when nobody could sign in otherwise.

        Raises:
            StartupError: A database cannot be used.
        """
        async with AsyncExitStack() as stack:
            await self.accounts.open()
            stack.push_async_callback(self.accounts.close)
            if invites:
                await self._invite()
            await stack.enter_async_context(self.switchroom.running())
            for mcp_app in self.switchroom.apps:
                await stack.enter_async_context(mcp_app.router.lifespan_context(mcp_app))
            carrying = asyncio.create_task(self.switchroom.operations.carry_notes(self.accounts))
            try:
                yield
            finally:
                carrying.cancel()
                await asyncio.gather(carrying, return_exceptions=True)

    async def _invite(self) -> None:
        link = await prepare_first_run(self.accounts, self.switchroom.settings, self.urls.prefix)
        if link is not None:
            logger.warning("Nobody has a password yet. Sign in at %s (once, within 10 minutes).", link)


def build_console(room: Switchroom, *, path: str = "/admin", mcp_path: str = "/mcp") -> Console:
    """Build the console for a `Switchroom` whose servers are attached already."""
    assets = load_assets()
    urls = Urls(path, assets.hash, mcp_path)
    app = FastAPI(title="Switchroom", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.switchroom = room
    app.state.accounts = accounts = open_accounts(room.settings.db)
    app.state.settings = room.settings
    app.state.urls = urls
    app.state.assets = assets
    app.state.templates = Templates(urls)
    for router in (*page_routers(), *action_routers()):
        app.include_router(router, prefix=path)
    for router in api_routers():
        app.include_router(router)
    app.include_router(metrics.router, prefix=path)
    _redirect_to_overview(app, path, urls)
    install_error_handlers(app)
    return Console(room, accounts, urls, app)


def _redirect_to_overview(app: FastAPI, path: str, urls: Urls) -> None:
    """People type the prefix without its slash."""

    @app.get(path, include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse(urls.overview())


class Gate:
    """Answers for the console's routes, or says in one sentence why it cannot."""

    def __init__(self, console: Console) -> None:
        self._engine = console.switchroom.engine
        self._app: ASGIApp = console.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._engine.is_running:
            await self._app(scope, receive, send)
        else:
            await Problem(503, "not_running", NOT_RUNNING).response()(scope, receive, send)


def console_routes(console: Console) -> list[BaseRoute]:
    """Return the console's routes for another application: exact paths, so that none of its own is shadowed."""
    gate = Guard(Gate(console), console.switchroom.settings)
    prefix = console.urls.prefix
    pages = [prefix + path for router in (*page_routers(), *action_routers()) for path in _paths(router.routes)]
    api = [path for router in api_routers() for path in _paths(router.routes)]
    return [Route(path, endpoint=gate) for path in dict.fromkeys([*pages, *api, *_paths(console.app.routes)])]


def _paths(routes: Sequence[BaseRoute]) -> list[str]:
    return [route.path for route in routes if isinstance(route, Route)]


def mcp_routes(room: Switchroom) -> list[BaseRoute]:
    """Return the routes of every attached server: its MCP path, and its OAuth paths where it has some."""
    return [Route(path, endpoint=entry) for mcp_app in room.apps for path, entry in entries(mcp_app)]


def mount_console(
    app: FastAPI,
    mcp: McpServer | Mapping[str, McpServer],
    *,
    settings: Settings | None = None,
    path: str = "/admin",
    mcp_path: str = "/mcp",
    verifier: UserVerifier | None = None,
    resolver: Resolver | None = None,
    **options: Any,
) -> Switchroom:
    """Add an MCP server and its console to an existing application.

    The server answers at `mcp_path`, the console at `path`, the JSON API at `/api/v1`. Routes that the
    application adds later keep working, and its lifespan runs as before, inside Switchroom's.

    Args:
        mcp: A server, or several by the path where each one answers: `{"/tickets": tickets, "/notes": notes}`.
        verifier: Who knows the passwords of `secure_login`; by default the file that `users_file` names.
        resolver: Asked before every action of an operator whether they may, after their role has allowed it.
        options: For the server's own `streamable_http_app`: `json_response`, `stateless_http`, `host`, …

    Raises:
        StartupError: The server, the installed `mcp` or the settings cannot be used.
    """
    room = switchroom(settings, verifier=verifier)
    room.operations.resolve_with(resolver)
    servers = cast("Mapping[str, McpServer]", mcp) if isinstance(mcp, Mapping) else {mcp_path: mcp}
    for server_path, server in servers.items():
        room.attach(server, path=server_path, **options)
    console = build_console(room, path=path, mcp_path=next(iter(servers), mcp_path))
    app.router.routes.extend([*mcp_routes(room), *console_routes(console)])
    compose_lifespan(app, console, invites=True)
    return room


def compose_lifespan(app: FastAPI, console: Console, *, invites: bool) -> None:
    """Run the console as long as the application, round the application's own lifespan."""
    theirs = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(started: Any) -> AsyncGenerator[Any]:
        async with console.running(invites=invites), theirs(started) as state:
            yield state

    app.router.lifespan_context = lifespan


def create_app(
    mcp: McpServer, settings: Settings, *, mcp_path: str = "/mcp", with_sse: bool = False, **options: Any
) -> tuple[Front, Console]:
    """Build a whole server: MCP, console, API and health checks.

    Args:
        with_sse: Serve the older HTTP+SSE transport too, at `/sse` and `/messages/`.

    Raises:
        StartupError: The server, the installed `mcp` or the settings cannot be used.
    """
    room = switchroom(settings)
    room.attach(mcp, path=mcp_path, host=settings.host, **options)
    console = build_console(room, mcp_path=mcp_path)
    _add_health(console)
    front = Front(console)
    if with_sse:
        front.serve_sse(room.attach_sse(mcp))
    return front, console


def _add_health(console: Console) -> None:
    app, room = console.app, console.switchroom
    app.include_router(metrics.router)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> JSONResponse:
        """Answer as long as the process does."""
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        """Answer 200 while requests can be served and stored, otherwise 503 with the reason."""
        health = room.engine.store.health()
        is_ready = room.engine.is_running and not room.engine.is_stopping and health.is_ok
        body = {"status": "ready" if is_ready else "not ready", "store": "ok" if health.is_ok else health.trouble}
        return JSONResponse(body, status_code=200 if is_ready else 503)

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        """Send people to the console."""
        return RedirectResponse(console.urls.overview())


_PROBES = ("/healthz", "/readyz")
_NOT_HERE = Problem(404, "not_found", "There is nothing at this address: this port serves MCP alone.")


class Front:
    """The whole server: MCP paths straight to their server, everything else through the guard.

    Two look-ups instead of a router: MCP requests pass no console code, so a console that fails
    cannot touch them.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._guarded = Guard(console.app, console.switchroom.settings)
        self._mcp: dict[str, ASGIApp] = {}
        self._patterns = [
            (route, mcp_app)
            for mcp_app in console.switchroom.apps
            for route in mcp_app.routes
            if not isinstance(route, Route) or "{" in route.path
        ]
        self._sse: SseLeg | None = None
        self._is_split = False
        for mcp_app in console.switchroom.apps:
            self._mcp.update(entries(mcp_app))
        compose_lifespan(console.app, console, invites=False)

    def _mcp_app(self, scope: Scope) -> ASGIApp | None:
        exact = self._mcp.get(scope["path"])
        if exact is not None:
            return exact
        return next((app for route, app in self._patterns if route.matches(scope)[0] is not Match.NONE), None)

    def serve_sse(self, leg: SseLeg) -> None:
        """Serve the older HTTP+SSE transport beside everything else."""
        self._sse = leg

    def split(self) -> ASGIApp:
        """Serve MCP and the probes alone from now on, and return the application of the console's own listener."""
        self._is_split = True

        async def console_side(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"] in _PROBES:
                await self._console.app(scope, receive, with_security_headers(scope, send))
            else:
                await self._guarded(scope, receive, send)

        return console_side

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (mcp_app := self._mcp_app(scope)) is not None:
            await mcp_app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in _PROBES:
            # Probes name whatever host reaches them; the answer says nothing that a host rule protects.
            await self._console.app(scope, receive, with_security_headers(scope, send))
        elif self._sse is not None and scope["type"] == "http" and self._sse.serves(scope["path"]):
            await self._sse(scope, receive, send)
        elif self._is_split and scope["type"] == "http":
            await _NOT_HERE.response()(scope, receive, with_security_headers(scope, send))
        else:
            await self._guarded(scope, receive, send)
