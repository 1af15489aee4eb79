"""Putting it together: an MCP server, its transport leg, the engine and the store."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp.server.lowlevel import Server
from mcp.server.mcpserver import MCPServer
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette

from . import store as stores
from .bus import LocalChangeBus
from .directory.directory import Directory
from .engine.engine import Engine
from .engine.session import LiveSession
from .engine.sweeper import Sweeper
from .errors import StartupError, StoreDamaged
from .foreign import fastmcp_app, is_fastmcp
from .models import SessionKind
from .mounts import Mount
from .operations.operations import Operations
from .operations.sending import Route
from .resources import ResourceRegistry
from .served import ServedServers
from .settings import Settings
from .shutdown import chained_signals
from .sign_in import SignIns, UsersFile, UserVerifier
from .store.base import Retention, Store
from .transport.blocked import gate_principals
from .transport.kernel import check_version
from .transport.security import transport_security
from .transport.throttle import throttle

if TYPE_CHECKING:
    from .transport.sse_leg import SseLeg

McpServer = MCPServer[Any] | Server[Any] | Any
"""What can be attached to: the SDK's `MCPServer` (called `FastMCP` until mcp 2), its low-level `Server`, or
`fastmcp.FastMCP` 4, which is typed as `Any` because that package is an optional extra."""


class Switchroom:
    """One process's engine and everything that reads or acts through it."""

    def __init__(self, settings: Settings, store: Store, *, verifier: UserVerifier | None = None) -> None:
        self.settings = settings
        self.store = store
        self.engine = Engine(settings, store, LocalChangeBus())
        self.directory = Directory(self.engine)
        self.operations = Operations(self.engine, self.directory)
        self.sign_ins = SignIns(self.engine, verifier or UsersFile(Path(settings.users_file)))
        self.engine.services.add(self.sign_ins)
        self.resources = ResourceRegistry(self.engine)
        self.engine.services.add(self.resources)
        self.served = ServedServers()
        self.engine.services.add(self.served)
        self.apps: list[Starlette] = []
        """The ASGI app of each attached server, in order."""
        self._mounts: dict[str, Mount] = {}
        self._attached: dict[int, Mount] = {}
        """Mounts by the identity of the server that was attached."""
        self._users = 0
        self._sweeper = Sweeper(self.engine)
        self.engine.release = self._release
        self.engine.on_end.append(self._forget)

    @property
    def app(self) -> Starlette:
        """The first attached server as an ASGI app, to be run without a console."""
        return self.apps[0]

    # -- attaching -----------------------------------------------------------------------------

    def attach(self, mcp: McpServer, *, path: str = "/mcp", **options: Any) -> Starlette:
        """Attach a server and return its ASGI app, which serves MCP at `path`.

        `options` go to the server's own `streamable_http_app` (`json_response`, `stateless_http`, `host`, …); the first
        two are as the settings say where they are not given.

        Raises:
            StartupError: `mcp` is no MCP server, or the installed `mcp` is another minor version.
        """
        check_version()
        attached: object = mcp
        options.setdefault("json_response", self.settings.json_response)
        options.setdefault("stateless_http", self.settings.stateless_http)
        if is_fastmcp(mcp):
            options.pop("host", None)

            def mounted(manager: StreamableHTTPSessionManager) -> Mount:
                return self._attached.setdefault(id(attached), self._mount(manager))

            app = fastmcp_app(mcp, path=path, mount=mounted, running=self.running, options=options)
        elif isinstance(mcp, MCPServer | Server):
            options.setdefault("transport_security", transport_security(self.settings))
            app = mcp.streamable_http_app(streamable_http_path=path, **options)
            mount = self._mount(mcp.session_manager)
            self.served.note(
                mount.name,
                path,
                self.settings.mount_path,
                stateless_http=bool(options["stateless_http"]),
                json_response=bool(options["json_response"]),
            )
            mount.replace_leg(mcp.session_manager)
            mount.follow_lifespan(self.running)
            if isinstance(mcp, MCPServer):
                mount.follow_tools(mcp)
            self._attached[id(attached)] = mount
        else:
            raise StartupError(f"{type(mcp).__name__} is no MCP server: pass an MCPServer, FastMCP or Server.")
        throttle(app, self.engine)
        self.apps.append(app)
        return app

    def attach_sse(self, mcp: McpServer, *, sse_path: str = "/sse", message_path: str = "/messages/") -> SseLeg:
        """Serve an attached server over the older HTTP+SSE transport too, and return that ASGI app.

        Raises:
            StartupError: The server has no `sse_app`, or is not attached.
        """
        mount = self._attached.get(id(mcp))
        if mount is None or not isinstance(mcp, MCPServer):
            raise StartupError(
                f"HTTP+SSE is served for an attached MCPServer, and this is a {type(mcp).__name__}: leave --sse out. "
                "Streamable HTTP and stdio take every kind of server."
            )
        options: dict[str, Any] = {"transport_security": transport_security(self.settings), "host": self.settings.host}
        app = mcp.sse_app(sse_path=sse_path, message_path=message_path, **options)
        gate_principals(app, self.engine)
        from .transport.sse_leg import SseLeg  # few servers need it

        return SseLeg(self.engine, app, mount.name, mount.marks, sse_path=sse_path, message_path=message_path)

    async def serve_stdio(self, mcp: McpServer) -> None:
        """Serve an attached server over standard input and output until either side ends it.

        Raises:
            StartupError: The server is not attached, or is a FastMCP whose app has not been started.
        """
        mount = self._attached.get(id(mcp))
        if mount is None:
            raise StartupError("stdio needs a server that is attached; the app of a FastMCP has to be started before.")
        from .transport.stdio import serve_stdio

        await serve_stdio(self.engine, mount.server, mount.name, mount.marks)

    async def tools(self, name: str) -> list[Any]:
        """Return the tools of that name, as the attached servers that can be asked describe them."""
        listed = [await mount.marks.listed() for mount in self._mounts.values()]
        return [tool for tools in listed for tool in tools if tool.name == name]

    def _mount(self, manager: StreamableHTTPSessionManager) -> Mount:
        """Return the mount of a manager's server; a server is mounted once, however often it is started."""
        for mount in self._mounts.values():
            if mount.server is manager.app:
                return mount
        mount = Mount(self.engine, manager.app, self._unique_name(manager.app.name))
        mount.clients.load()
        self._mounts[mount.name] = mount
        self.operations.postman.routes[mount.name] = Route(mount.announcements, mount.clients, mount.declared_lists)
        self.directory.server_names.append(mount.name)
        return mount

    def _unique_name(self, name: str) -> str:
        taken = self.directory.server_names
        return name if name not in taken else f"{name}-{len(taken) + 1}"

    # -- life ----------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Start the engine with its first user and stop it with its last.

        Raises:
            StartupError: The store cannot be used.
        """
        async with AsyncExitStack() as stack:
            self._users += 1
            stack.callback(self._leave)
            if self._users == 1:
                await self.start()
                stack.push_async_callback(self._stop)
                stack.enter_context(chained_signals(self._drain))
            yield

    async def _stop(self) -> None:
        # Calls in flight are answered first: they may be using what is closed then.
        await self.engine.drain()
        await self.resources.stop()
        await self.engine.stop()

    def _drain(self) -> None:
        self.engine.spawn(self.engine.drain())

    def _leave(self) -> None:
        self._users -= 1

    async def start(self) -> None:
        """Start the engine before its first user does, to learn early whether it can. Idempotent.

        Raises:
            StartupError: The store cannot be used.
        """
        if self.engine.is_running:
            return
        await self.engine.start()
        await self.resources.folders.start()
        for mount in self._mounts.values():
            mount.clients.load()
        with suppress(StoreDamaged):  # what a damaged store cannot tell is not gone on with
            await self.operations.dispatcher.resume()
        self.engine.spawn(self._sweeper.run())

    async def _release(self, session: LiveSession) -> None:
        mount = self._mounts.get(session.record.server)
        if mount is not None:
            await mount.residents.release(session)

    async def _forget(self, session: LiveSession) -> None:
        self.operations.deliveries.forget(session)
        for mount in self._mounts.values():
            mount.announcements.forget(session.record.id)
        if session.record.kind is not SessionKind.CLIENT:
            await self.store.keys.clear(session.record.no)


def switchroom(
    settings: Settings | None = None, store: Store | None = None, *, verifier: UserVerifier | None = None
) -> Switchroom:
    """Build a `Switchroom` from its settings, without a server yet.

    Args:
        verifier: Who knows the passwords of `secure_login`; by default the file that `users_file` names.

    Raises:
        StartupError: The store's address is malformed.
    """
    chosen = settings or Settings()
    retention = Retention(
        max_events=chosen.max_events,
        max_bytes=chosen.max_log_bytes,
        max_age_seconds=chosen.max_event_age_seconds,
        max_stream_events=chosen.max_events_per_stream,
        max_stream_bytes=chosen.max_log_bytes_per_stream,
        max_stream_age_seconds=chosen.max_event_age_per_stream_seconds,
        payload_seconds=chosen.payload_seconds,
        ended_session_seconds=chosen.ended_session_seconds,
        rejected_session_seconds=chosen.rejected_seconds,
        ended_id_seconds=chosen.ended_id_seconds,
        figures_seconds=chosen.figures_seconds,
    )
    opened = store or stores.open_store(chosen.db, durability=chosen.durability, retention=retention)
    return Switchroom(chosen, opened, verifier=verifier)


def attach(
    mcp: McpServer,
    *,
    settings: Settings | None = None,
    store: Store | None = None,
    path: str = "/mcp",
    verifier: UserVerifier | None = None,
    **options: Any,
) -> Switchroom:
    """Attach Switchroom to a server without a console; run the result's `app`.

    Args:
        verifier: Who knows the passwords of `secure_login`; by default the file that `users_file` names.

    Raises:
        StartupError: The server, the installed `mcp` or the store cannot be used.
    """
    built = switchroom(settings, store, verifier=verifier)
    built.attach(mcp, path=path, **options)
    return built
