"""What a session's row keeps of its client's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mcp_types import CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_HANDSHAKE_VERSION, MODERN_PROTOCOL_VERSIONS

from ..engine.session import LiveSession
from ..store.text import plain_text

MAX_NAME = 256
"""Characters kept of a client's name and version in the session's row; the log keeps all of it."""


def describe_client(session: LiveSession, params: dict[str, Any] | None) -> None:
    """Keep who the client says it is in `initialize`; hostile values become text of bounded length."""
    _keep_info(session, (params or {}).get("clientInfo"))
    session.record.protocol_version = LATEST_HANDSHAKE_VERSION


def modern_version(params: Mapping[str, Any] | None) -> str | None:
    """Return the revision that a request of an era without handshake names (2026-07-28, basic, `_meta`)."""
    meta: Any = (params or {}).get("_meta")
    version = cast("dict[str, object]", meta).get(PROTOCOL_VERSION_META_KEY) if isinstance(meta, dict) else None
    return version if isinstance(version, str) and version in MODERN_PROTOCOL_VERSIONS else None


def describe_modern_client(session: LiveSession, params: Mapping[str, Any] | None, version: str) -> None:
    """Keep who the client of such a request says it is, for a connection that is a session in itself."""
    meta: Any = (params or {}).get("_meta")
    _keep_info(session, cast("dict[str, object]", meta).get(CLIENT_INFO_META_KEY) if isinstance(meta, dict) else None)
    session.record.protocol_version, session.record.is_initialized = version, True


def _keep_info(session: LiveSession, info: Any) -> None:
    if isinstance(info, dict):
        known = cast("dict[str, object]", info)
        session.record.client_name = known_as(known.get("name"))
        session.record.client_version = known_as(known.get("version"))


def known_as(value: object) -> str:
    """Return a name or a version as it is kept: as every store gives it back, so that a restart changes nothing."""
    return plain_text(value[:MAX_NAME]) if isinstance(value, str) else ""
