"""One MCP server in the house: what Switchroom adds to it, and its leg."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from .engine.engine import Engine
from .modern.announcements import Announcements
from .modern.clients import Clients
from .modern.handles import Handles
from .recorder import Recorder
from .tracing import trace_where_wanted
from .transport.leg import Leg
from .transport.residents import Residents
from .transport.tool_marks import ToolMarks


class Mount:
    """A low-level server with its recorder, announcements and residents installed, once."""

    def __init__(self, engine: Engine, server: Server[Any], name: str) -> None:
        self._engine = engine
        self.server = server
        self.name = name
        self.marks = ToolMarks()
        self.residents = Residents(engine, server, name, self.marks)
        self.clients = Clients(engine, name)
        self.announcements = Announcements(is_enabled=engine.settings.announcements)
        self.announcements.install(server)
        trace_where_wanted(server.middleware)
        server.middleware.insert(0, Recorder(engine, Handles(engine, name), self.clients, server, self.marks))

    def declared_lists(self) -> frozenset[str]:
        """Return the lists whose changes the server declares to handshake-era clients at `initialize`."""
        declared = self.server.create_initialization_options().capabilities
        parts = {"tools": declared.tools, "prompts": declared.prompts, "resources": declared.resources}
        return frozenset(name for name, part in parts.items() if part is not None and part.list_changed)

    def replace_leg(self, manager: StreamableHTTPSessionManager) -> None:
        """Put our stateful leg in place of the SDK's."""
        # An ordinary attribute that the SDK reads on every request; its declared type is narrower than its use.
        manager.asgi_app = Leg(self._engine, manager, self.residents)  # type: ignore[assignment]

    def follow_tools(self, mcp: Any) -> None:
        """Read what the server's tools mark as secret, and read it again when they change."""
        add, remove, marks = mcp.add_tool, mcp.remove_tool, self.marks
        marks.follow(mcp.list_tools, is_complete=True)

        @functools.wraps(add)
        def add_tool(*args: Any, **kwargs: Any) -> None:
            add(*args, **kwargs)
            marks.changed()

        @functools.wraps(remove)
        def remove_tool(name: str) -> None:
            remove(name)
            marks.changed()

        # Ordinary methods, put on the one instance: the SDK tells nobody that a tool came or went.
        mcp.add_tool, mcp.remove_tool = add_tool, remove_tool

    def follow_lifespan(self, running: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        """Run the engine as long as the server's own lifespan; wrapping it is the only public way to its state."""
        theirs: Any = self.server.lifespan

        @asynccontextmanager
        async def lifespan(server: Server[Any]) -> AsyncGenerator[Any]:
            async with running(), theirs(server) as state:
                self.residents.lifespan_state = state
                yield state

        self.server.lifespan = lifespan
