"""The server that `switchroom serve` runs when no target is named."""

from __future__ import annotations

from importlib.metadata import version

from mcp.server.mcpserver import MCPServer

from . import (
    configuration,
    coordination,
    lifecycle,
    managed_resources,
    robust,
    sensitive,
    session_keys,
    sessions,
    signing_in,
    workbench,
)


def bundled_server(name: str = "switchroom-bundled") -> MCPServer:
    """Return a new server with every bundled tool."""
    mcp = MCPServer(
        name,
        version=version("switchroom"),
        instructions="Tools that show what sessions can do. In MCP 2026-07-28 call open_session first.",
    )
    sessions.add_to(mcp)
    session_keys.add_to(mcp)
    sensitive.add_to(mcp)
    coordination.add_to(mcp)
    managed_resources.add_to(mcp)
    robust.add_to(mcp)
    configuration.add_to(mcp)
    signing_in.add_to(mcp)
    lifecycle.add_to(mcp)
    workbench.add_to(mcp)
    return mcp
