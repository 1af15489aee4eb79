"""The bundled MCP server and its tools, each module usable in somebody else's server."""

from __future__ import annotations

from .bundled import bundled_server

__all__ = ["bundled_server"]
