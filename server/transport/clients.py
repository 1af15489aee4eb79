"""What a session's row keeps of its client's own words."""

from __future__ import annotations

from typing import Any

from mcp_types.version import LATEST_HANDSHAKE_VERSION

from ..engine.session import LiveSession

MAX_NAME = 256
"""Characters kept of a client's name and version in the session's row; the log keeps all of it."""


def describe_client(session: LiveSession, params: dict[str, Any] | None) -> None:
    """Keep who the client says it is in `initialize`; hostile values become text of bounded length."""
    info = (params or {}).get("clientInfo")
    if isinstance(info, dict):
        session.record.client_name = _text(info.get("name"))
        session.record.client_version = _text(info.get("version"))
    session.record.protocol_version = LATEST_HANDSHAKE_VERSION


def _text(value: object) -> str:
    return value[:MAX_NAME] if isinstance(value, str) else ""
