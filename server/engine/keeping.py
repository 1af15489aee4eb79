"""Which payloads the log keeps, and how much of them."""

from __future__ import annotations

from typing import NamedTuple

from ..models import Direction, SessionKind

_WITH_STREAMS = frozenset({SessionKind.STREAMABLE_HTTP, SessionKind.SSE, SessionKind.STDIO})


class Keeping(NamedTuple):
    """What an event keeps of its message."""

    is_full: bool = True
    """Otherwise only what a client can still resume is kept, and dropped later; see `Retention.payload_seconds`."""
    max_bytes: int = 2**63
    """A payload that no client can resume is cut to this."""

    def kept(self, kind: SessionKind, direction: Direction, payload: str, stream: int | None) -> str | None:
        """Return what is written to the log of a message."""
        if direction is Direction.LOCAL:
            return payload
        if direction is Direction.FROM_SERVER and stream is not None and kind in _WITH_STREAMS:
            return payload  # the stream's connections are written from here
        return payload[: self.max_bytes] if self.is_full else None
