"""The MCP server that every contestant serves: one tool, so that what is measured is everything around it."""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer

mcp = MCPServer("bench", log_level="WARNING")


@mcp.tool()
async def echo(text: str) -> str:
    """Return what was sent."""
    return text
