"""What client and server said about themselves on the wire, read back from a session's log."""

from __future__ import annotations

import json
from typing import Any, Final, cast

from ..models import Direction, Event, EventKind
from ..store.base import EventLog, EventQuery

_SAMPLE: Final = 20
"""Latest requests that are asked what their client says about itself."""


async def initialize_result(log: EventLog, session_no: int) -> dict[str, object] | None:
    """Return the result of `initialize`; `None` where there was none, or the log has dropped it."""
    query = EventQuery(kinds=(EventKind.RESPONSE,), method="initialize", limit=1)
    for event in (await log.read(session_no, query)).events:
        return _object(_message(event).get("result"))
    return None


async def latest_meta(log: EventLog, session_no: int) -> dict[str, object] | None:
    """Return the `_meta` of the latest request that names a protocol version; `None` where none does."""
    query = EventQuery(kinds=(EventKind.REQUEST,), direction=Direction.FROM_CLIENT, limit=_SAMPLE, newest_first=True)
    for event in (await log.read(session_no, query)).events:
        params = _object(_message(event).get("params")) or {}
        meta = _object(params.get("_meta")) or {}
        if any(name.endswith("/protocolVersion") for name in meta):
            return meta
    return None


def _message(event: Event) -> dict[str, object]:
    try:
        return _object(json.loads(event.payload or "{}")) or {}
    except ValueError:  # cut in the log
        return {}


def _object(value: Any) -> dict[str, object] | None:
    return cast("dict[str, object]", value) if isinstance(value, dict) else None
