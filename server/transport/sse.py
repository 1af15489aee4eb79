"""Server-sent events for MCP clients: framing of log rows (HTML Living Standard, section 9.2.6)."""

from __future__ import annotations

from collections.abc import Iterable

from ..ids import EventId
from ..models import Event

PING = b": ping\n\n"
"""A comment: keeps proxies from cutting an idle stream, and clients ignore it."""

GAP = b": events before this point were dropped by retention\n\n"


def frame(session_id: str, stream: int, event: Event) -> str:
    """Return one event as a `message` frame with its id. The payload is ASCII JSON, so one data line is enough."""
    event_id = EventId(session_id, event.epoch, event.seq, stream)
    return f"event: message\nid: {event_id}\ndata: {event.payload}\n\n"


def frames(session_id: str, stream: int, events: Iterable[Event]) -> bytes:
    """Return several events as one chunk."""
    return "".join([frame(session_id, stream, event) for event in events]).encode("ascii")


def priming(event_id: EventId, retry_ms: int) -> str:
    """Return the empty event that gives a client its first cursor (2025-11-25, transports, SSE polling)."""
    return f"id: {event_id}\nretry: {retry_ms}\ndata: \n\n"


def accepts_priming(protocol_version: str) -> bool:
    """Whether clients of that revision can parse an event with empty data (2025-11-25 and newer)."""
    return protocol_version >= "2025-11-25"
