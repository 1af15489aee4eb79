"""Which hosts and origins the MCP endpoint answers to (2025-11-25, transports, security warning: DNS rebinding)."""

from __future__ import annotations

from mcp.server.transport_security import TransportSecuritySettings

from ..settings import Settings

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def transport_security(settings: Settings) -> TransportSecuritySettings | None:
    """Return the allow-lists that the settings name, loopback included.

    `None` where they name none: the SDK then protects a server on loopback and leaves others open, since
    it cannot know their names.
    """
    hosts = [host.strip() for host in settings.allowed_hosts.split(",") if host.strip()]
    if not hosts:
        return None
    origins = [origin.strip() for origin in settings.allowed_origins.split(",") if origin.strip()]
    names = [*_LOOPBACK, *hosts]
    return TransportSecuritySettings(
        allowed_hosts=[*names, *(f"{name}:*" for name in names)],
        allowed_origins=[*(f"http://{name}:*" for name in _LOOPBACK), *origins],
    )
