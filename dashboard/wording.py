"""What actions and their results are called, in the words an operator reads."""

from __future__ import annotations

from collections.abc import Mapping

from ..server.models import AuditEntry
from .formatting import plural


def outcome_sentence(entry: AuditEntry, detail: Mapping[str, object]) -> str:
    return f"{entry.action}: {entry.outcome}"
