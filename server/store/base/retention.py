"""How long everything is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of each log and of each stream in it is kept. Reaching any bound drops the oldest events first."""

    max_events: int = 10_000
    max_bytes: int = 16 * 1024 * 1024
    max_age_seconds: float = 24 * 3600
    max_stream_events: int = 10_000
    """Of what the server sent on one stream; the newest stays."""
    max_stream_bytes: int = 8 * 1024 * 1024
    """The same in bytes."""
    max_stream_age_seconds: float | None = None
    """The same in age, answers of calls excepted; `None` as long as the other events."""
    payload_seconds: float | None = None
    """How long what was sent to a client keeps its payload; `None` as long as its event."""
    ended_session_seconds: float = 24 * 3600
    """How long an ended session and its log stay listed."""
    rejected_session_seconds: float = 300
    """The same for a refused handshake, of which a hostile client can make many."""
    ended_id_seconds: float = 30 * 24 * 3600
    """How long after its end a session's id is remembered with the reason, although the session is dropped."""
    max_ended_ids: int = 1_000_000
    """Ids remembered at most, some 250 bytes each; the first to have been dropped are forgotten first."""
    broadcast_seconds: float = 30 * 24 * 3600
    """How long a broadcast and its receipts are kept."""
    figures_seconds: float = 7 * 24 * 3600
    """How long the minutes behind the charts are kept, half a kilobyte each."""
