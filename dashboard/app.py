"""Putting the console together: its place in another application, and a whole server."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ..server.accounts import Accounts, open_accounts
from ..server.attach import McpServer, Switchroom, switchroom
from ..server.entries import entries
from ..server.operations import Resolver
from ..server.settings import Settings
from ..server.sign_in import UserVerifier
from ..server.transport.leg import NOT_RUNNING
from .assets import Assets, load_assets
from .first_run import prepare_first_run
from .guard import Guard, with_security_headers
from .problems import Problem
from .urls import Urls

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..server.transport.sse_leg import SseLeg

logger = logging.getLogger("switchroom.console")

_PREPARE_AFTER_SECONDS = 0.1


class Console:
    """The console of one process: what it shows, who may see it, and its ASGI application.

    The application is built when it is first asked for: a server answers MCP half a second earlier that way.
    """

    def __init__(
        self, room: Switchroom, accounts: Accounts, urls: Urls, assets: Assets, *, has_root: bool = False
    ) -> None:
        self.switchroom = room
        self.accounts = accounts
        self.urls = urls
        self._assets = assets
        self.mcp_base = ""
        """Where MCP answers, when that is another listener than the console's."""
        self.on_built: Callable[[], object] | None = None
        """Called once the application is built, for whoever owns the process."""
        self._has_root = has_root
        self._building = threading.Lock()
        self._app: FastAPI | None = None

    @property
    def app(self) -> FastAPI:
        """The FastAPI application, built on first use; from any thread."""
        with self._building:
            if self._app is None:
                self._app = self._build()
            return self._app

    def _build(self) -> FastAPI:
        from .site import add_root, build_site  # a third of what starting a server takes

        app = build_site(self.switchroom, self.accounts, self.urls, self._assets, mcp_base=self.mcp_base)
        if self._has_root:
            add_root(app, self.urls)
        if self.on_built is not None:
            self.on_built()
        return app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if app is None:
            app = await asyncio.to_thread(lambda: self.app)
        await app(scope, receive, send)

    async def prepare(self) -> None:
        """Build the application beside what is served already."""
        await asyncio.sleep(_PREPARE_AFTER_SECONDS)
        try:
            await asyncio.to_thread(lambda: self.app)
        except Exception:
            logger.exception("the console could not be built; MCP is served all the same")

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
            beside = [
                asyncio.create_task(self.switchroom.operations.carry_notes(self.accounts)),
                asyncio.create_task(self.prepare()),
            ]
            try:
                yield
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)

    async def _invite(self) -> None:
        link = await prepare_first_run(self.accounts, self.switchroom.settings, self.urls.prefix)
        if link is not None:
            logger.warning("Nobody has a password yet. Sign in at %s (once, within 10 minutes).", link)


def build_console(room: Switchroom, *, path: str = "/admin", mcp_path: str = "/mcp", has_root: bool = False) -> Console:
    """Build the console for a `Switchroom` whose servers are attached already.

    Args:
        has_root: Answer `/` and `/metrics` too, beside what is below `path`.
    """
    assets = load_assets()
    urls = Urls(path, assets.hash, mcp_path)
    return Console(room, open_accounts(room.settings.db), urls, assets, has_root=has_root)


class Gate:
    """Answers for the console's routes, or says in one sentence why it cannot."""

    def __init__(self, console: Console) -> None:
        self._engine = console.switchroom.engine
        self._app: ASGIApp = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._engine.is_running:
            await self._app(scope, receive, send)
        else:
            await Problem(503, "not_running", NOT_RUNNING).response()(scope, receive, send)


def console_routes(console: Console) -> list[BaseRoute]:
    """Return the console's routes for another application: exact paths, so that none of its own is shadowed."""
    from .site import site_paths

    gate = Guard(Gate(console), console.switchroom.settings)
    return [Route(path, endpoint=gate) for path in site_paths(console.app, console.urls.prefix)]


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
    compose_lifespan(app.router, console, invites=True)
    return room


def compose_lifespan(router: Router, console: Console, *, invites: bool) -> None:
    """Run the console as long as an application, round the application's own lifespan."""
    theirs = router.lifespan_context

    @asynccontextmanager
    async def lifespan(started: Any) -> AsyncGenerator[Any]:
        async with console.running(invites=invites), theirs(started) as state:
            yield state

    router.lifespan_context = lifespan


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
    console = build_console(room, mcp_path=mcp_path, has_root=True)
    front = Front(console)
    if with_sse:
        front.serve_sse(room.attach_sse(mcp))
    return front, console


def _probes(room: Switchroom) -> Router:
    async def healthz(_: Request) -> JSONResponse:
        """Answer as long as the process does."""
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> JSONResponse:
        """Answer 200 while requests can be served and stored, otherwise 503 with the reason."""
        health = room.engine.store.health()
        is_ready = room.engine.is_running and not room.engine.is_stopping and health.is_ok
        body = {"status": "ready" if is_ready else "not ready", "store": "ok" if health.is_ok else health.trouble}
        return JSONResponse(body, status_code=200 if is_ready else 503)

    return Router([Route("/healthz", healthz), Route("/readyz", readyz)])


_PROBES = ("/healthz", "/readyz")
_NOT_HERE = Problem(404, "not_found", "There is nothing at this address: this port serves MCP alone.")


class Front:
    """The whole server: MCP paths straight to their server, everything else through the guard.

    Two look-ups instead of a router: MCP requests pass no console code, so a console that fails
    cannot touch them.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._guarded = Guard(console, console.switchroom.settings)
        self._probes = _probes(console.switchroom)
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
        compose_lifespan(self._probes, console, invites=False)

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
                await self._probes(scope, receive, with_security_headers(scope, send))
            else:
                await self._guarded(scope, receive, send)

        return console_side

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (mcp_app := self._mcp_app(scope)) is not None:
            await mcp_app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in _PROBES:
            # Probes name whatever host reaches them; the answer says nothing that a host rule protects.
            await self._probes(scope, receive, with_security_headers(scope, send))
        elif self._sse is not None and scope["type"] == "http" and self._sse.serves(scope["path"]):
            await self._sse(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._probes(scope, receive, send)
        elif self._is_split and scope["type"] == "http":
            await _NOT_HERE.response()(scope, receive, with_security_headers(scope, send))
        else:
            await self._guarded(scope, receive, send)
