"""A server whose sessions survive a restart, without a console: `uvicorn headless:app` serves it.

Prints:
served at /mcp
"""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer

from switchroom.server import Settings, attach

mcp = MCPServer("notes")
switchroom = attach(mcp, settings=Settings(db="memory:"))
app = switchroom.app

if __name__ == "__main__":
    print("served at", *[getattr(route, "path", "") for route in app.routes])
