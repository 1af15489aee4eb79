"""Log messages from a tool to its caller, as each era allows them."""

from __future__ import annotations

from typing import Any, cast

from mcp.server.mcpserver import Context
from mcp_types import (
    LOG_LEVEL_META_KEY,
    LoggingLevel,
    LoggingMessageNotification,
    LoggingMessageNotificationParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ..current import current_call

LEVELS: tuple[LoggingLevel, ...] = (
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
)
"""Severities of `notifications/message`, least first (RFC 5424)."""


async def log_message(ctx: Context, level: LoggingLevel, data: Any, *, logger: str | None = None) -> bool:
    """Send a log message on the running call's stream; `False` when the client did not ask for it.

    In the handshake era a client may set the least level with `logging/setLevel`, and gets all of them otherwise. In
    the 2026-07-28 era only those at or above the level that the request itself asked for (SEP-2577) go out.
    """
    if not _is_wanted(ctx, level):
        return False
    params = LoggingMessageNotificationParams(level=level, data=data, logger=logger)
    await ctx.session.send_notification(LoggingMessageNotification(params=params), related_request_id=ctx.request_id)
    return True


def _is_wanted(ctx: Context, level: LoggingLevel) -> bool:
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        current = current_call.get()
        least = current.session.record.log_level if current is not None else None
        return least not in LEVELS or LEVELS.index(level) >= LEVELS.index(least)
    meta = (ctx.request_context.params or {}).get("_meta")
    wanted = cast("dict[str, object]", meta).get(LOG_LEVEL_META_KEY) if isinstance(meta, dict) else None
    return wanted in LEVELS and LEVELS.index(level) >= LEVELS.index(wanted)
