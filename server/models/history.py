"""The history of a session's state: when it moved, why, and who made it."""

from __future__ import annotations

import json
from typing import NamedTuple

from .sessions import SessionRecord, SessionState

_KEPT = 64
"""Entries of one session. A session that is revived more often loses some of its middle, never its beginning."""
_KEPT_FIRST = 8
_MAX_TEXT = 500


class Transition(NamedTuple):
    """One step in a session's life."""

    at: float
    state: SessionState
    """The state from then on; the same as before where only its limits changed."""
    cause: str
    by: str | None = None
    """The operator who made it; `None` for every other cause."""
    reason: str | None = None
    """What the operator gave as the reason."""


def note_transition(
    record: SessionRecord, at: float, cause: str, *, by: str | None = None, reason: str | None = None
) -> None:
    """Add the record's present state to its history. Kept as text: 70 bytes for each, where a tuple takes 300."""
    text = reason[:_MAX_TEXT] if reason else None
    entry = [round(at, 3), record.state.value, cause[:_MAX_TEXT], by, text]
    kept = json.loads(record.history)
    if len(kept) >= _KEPT:
        kept = [*kept[:_KEPT_FIRST], *kept[len(kept) - _KEPT + _KEPT_FIRST + 1 :]]
    record.history = json.dumps([*kept, entry], separators=(",", ":"))


def history_of(record: SessionRecord) -> list[Transition]:
    """Return a session's history, oldest first; of one from before histories were kept, its beginning and its end."""
    steps = [
        Transition(at, SessionState(state), cause, by, reason)
        for at, state, cause, by, reason in json.loads(record.history)
    ]
    if not steps:
        steps = [Transition(record.created_at, SessionState.INITIALIZING, "opened")]
        if record.ended_at is not None:
            cause, by, reason = record.end_code or "", record.end_by, record.end_reason
            steps.append(Transition(record.ended_at, record.state, cause, by, reason))
    return steps
