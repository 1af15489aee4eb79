"""A server that says how it is served, to whoever asks.

>>> get_server_config()
{
  "stateless_http": false,
  "json_response": true,
  "host": "127.0.0.1",
  "port": ...,
  "mount_path": "/",
  "streamable_http_path": "/mcp"
}
"""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer

from switchroom.server import Settings, Switchroom, attach
from switchroom.server.tools import configuration

mcp = MCPServer("configured")
configuration.add_to(mcp)


def build(settings: Settings) -> Switchroom:
    """Attach by hand; an argument of `attach` wins over the settings."""
    return attach(mcp, settings=settings.model_copy(update={"json_response": True}))
