"""The record that a session begins with."""

from __future__ import annotations

import time

from ..ids import hash_secret, new_reference
from ..models import SessionKind, SessionRecord, SessionState, note_transition

_OPENED_BY = {
    SessionKind.STREAMABLE_HTTP: "initialize",
    SessionKind.SSE: "connected",
    SessionKind.STDIO: "process started",
    SessionKind.HANDLE: "open_session",
}
"""What opens a session of each kind."""


def new_record(
    no: int,
    kind: SessionKind,
    secret: str | None,
    *,
    server: str,
    worker_id: str,
    principal: str | None,
    principal_key: str | None,
    address: str,
    state: SessionState,
) -> SessionRecord:
    """Return the record of a session that is opened now, with the first step of its history."""
    now = time.time()
    record = SessionRecord(
        no=no,
        id=new_reference(),
        kind=kind,
        state=state,
        server=server,
        worker_id=worker_id,
        created_at=now,
        last_activity_at=now,
        sid_hash=hash_secret(secret) if secret is not None else None,
        sid_prefix=secret[:8] if secret is not None else "",
        principal=principal,
        principal_key=principal_key,
        address=address,
    )
    if kind is not SessionKind.CLIENT:
        note_transition(record, now, _OPENED_BY[kind])
    return record
