"""Switchroom's console: pages and JSON API for the people who run MCP servers.

`mount_console` is public; other modules may change between minor versions.
"""

from __future__ import annotations

from .app import mount_console

__all__ = ["mount_console"]
