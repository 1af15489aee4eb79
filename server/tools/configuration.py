"""`get_server_config`: how the server that answers is served. The name and the six fields are the guide's."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from ..current import current_call
from ..models import SessionKind
from ..served import ServedServers


def add_to(mcp: MCPServer) -> None:
    """Register the tool on a server that Switchroom is attached to."""

    @mcp.tool()
    async def get_server_config(ctx: Context) -> dict[str, Any]:
        """Return current server configuration."""
        current = current_call.get()
        if current is None:
            raise ToolError("The configuration needs Switchroom: attach(mcp) or mount_console(app, mcp) first.")
        served = current.engine.services.get(ServedServers).of(current.session.record.server)
        settings = current.engine.settings
        scope: dict[str, Any] = getattr(ctx.request_context.request, "scope", None) or {}
        # Where this request arrived: an application that embeds us listens where it likes.
        host, port = scope.get("server") or (settings.host, settings.port)
        # The path that HTTP+SSE posts messages to is mounted inside the server's own app.
        is_sse = current.session.record.kind is SessionKind.SSE
        outer = str(scope.get("app_root_path" if is_sse else "root_path") or "")
        return {
            "stateless_http": served.stateless_http,
            "json_response": served.json_response,
            "host": host,
            "port": port,
            "mount_path": outer + (served.mount_path if not outer or served.mount_path != "/" else ""),
            "streamable_http_path": served.streamable_http_path,
        }
