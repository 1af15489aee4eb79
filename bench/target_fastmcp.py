"""The same tool on fastmcp 4."""

from __future__ import annotations

from fastmcp import FastMCP

mcp = FastMCP("bench")


@mcp.tool
async def echo(text: str) -> str:
    """Return what was sent."""
    return text
