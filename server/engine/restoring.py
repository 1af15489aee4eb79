"""What a restart makes of the sessions that had not ended."""

from __future__ import annotations

import time

from ..models import SessionKind, SessionRecord, SessionState, note_transition
from ..store.base import Store
from .ending import note_end
from .session import forget_outcome

_CONNECTION_KINDS = (SessionKind.SSE, SessionKind.STDIO)
"""A session of these is its connection, so it ends with the process."""


async def load_live(store: Store) -> list[SessionRecord]:
    """Return the records of the sessions that go on, brought up to date; the ends of the others are queued.

    Raises:
        StoreDamaged: They could not be read.
    """
    found = await store.sessions.load_live()
    going_on = [record for record in found if _restore(record)]
    for record in found:
        if not record.state.is_live:
            store.sessions.save(record).add_done_callback(forget_outcome)
    return going_on


def _restore(record: SessionRecord) -> bool:
    """Bring a record from before the restart up to date; `False` when its session ended with the process."""
    _renew_epoch(record)
    if record.kind in _CONNECTION_KINDS:
        note_end(record, SessionState.CLOSED, "shutdown", reason="the server restarted")
        return False
    if record.kind is SessionKind.STREAMABLE_HTTP and record.init is None:
        # Its client was never told the id.
        note_end(record, SessionState.REJECTED, "refused", reason="the server restarted during its handshake")
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
