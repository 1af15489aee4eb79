"""What a restart makes of the sessions that had not ended."""

from __future__ import annotations

import time

from ..models import SessionKind, SessionRecord, SessionState, note_transition

_CONNECTION_KINDS = (SessionKind.SSE, SessionKind.STDIO)
"""A session of these is its connection, so it ends with the process."""


def restore(record: SessionRecord) -> bool:
    """Bring a record from before the restart up to date; `False` when its session ended with the process."""
    _renew_epoch(record)
    if record.kind in _CONNECTION_KINDS:
        record.state, record.end_code = SessionState.CLOSED, "shutdown"
        record.ended_at, record.end_reason = time.time(), "the server restarted"
        note_transition(record, record.ended_at, "shutdown", reason=record.end_reason)
        return False
    if record.kind is SessionKind.STREAMABLE_HTTP and record.init is None:
        # Its client was never told the id.
        record.state, record.end_code = SessionState.REJECTED, "refused"
        record.ended_at, record.end_reason = time.time(), "the server restarted during its handshake"
        note_transition(record, record.ended_at, "refused", reason=record.end_reason)
        return False
    if record.kind is SessionKind.STREAMABLE_HTTP and record.state is SessionState.INITIALIZED:
        record.state = SessionState.DETACHED
        note_transition(record, time.time(), "the server restarted")
    return True


def _renew_epoch(record: SessionRecord) -> None:
    """Begin a new epoch, so that no new event takes an id that a client may hold from before a power cut."""
    record.epoch += 1
    first = record.last_seq + 1
    kept = record.epochs if record.epochs[-1][1] < first else record.epochs[:-1]
    record.epochs = [*kept, (record.epoch, first)]
