"""What a session's row keeps of its client's own words."""

from __future__ import annotations

from typing import Any, cast

from mcp_types.version import LATEST_HANDSHAKE_VERSION

from ..engine.session import LiveSession
from ..store.text import plain_text

MAX_NAME = 256
"""Characters kept of a client's name and version in the session's row; the log keeps all of it."""


def describe_client(session: LiveSession, params: dict[str, Any] | None) -> None:
    """Keep who the client says it is in `initialize`; hostile values become text of bounded length."""
    info: Any = (params or {}).get("clientInfo")
    if isinstance(info, dict):
        known = cast("dict[str, object]", info)
        session.record.client_name = known_as(known.get("name"))
        session.record.client_version = known_as(known.get("version"))
    session.record.protocol_version = LATEST_HANDSHAKE_VERSION


def known_as(value: object) -> str:
    """Return a name or a version as it is kept: as every store gives it back, so that a restart changes nothing."""
    return plain_text(value[:MAX_NAME]) if isinstance(value, str) else ""
