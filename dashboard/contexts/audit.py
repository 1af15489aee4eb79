"""Operators' actions: intent and outcome as one row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ...server.models import AuditEntry
from ..highlight import Rendered, render_json
from ..wording import OUTCOMES, action_label, result_text


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One action."""

    name: ClassVar[str] = "act"
    id: str
    at: float
    actor: str
    role: str
    action: str
    target: str
    reason: str
    outcome: str
    outcome_label: str
    result: str
    address: str
    record: Rendered


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """A table of actions."""

    template: ClassVar[str] = "audit/_trail.html"
    name: ClassVar[str] = "trail"
    rows: tuple[AuditRow, ...]
    empty: str
    older_url: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """The whole page."""

    template: ClassVar[str] = "audit/index.html"
    name: ClassVar[str] = "register"
    actor: str
    action: str
    target: str
    actions: tuple[tuple[str, str], ...]
    is_filtered: bool
    trail: AuditTrail


def make_trail(entries: Iterable[AuditEntry], *, empty: str, older_url: str = "") -> AuditTrail:
    """Return the table."""
    return AuditTrail(tuple(_row(entry) for entry in entries), empty, older_url)


def _row(entry: AuditEntry) -> AuditRow:
    return AuditRow(
        id=entry.action_id,
        at=entry.at,
        actor=entry.actor,
        role=entry.role,
        action=action_label(entry.action),
        target=entry.target,
        reason=entry.reason,
        outcome=entry.outcome,
        outcome_label=OUTCOMES.get(entry.outcome, entry.outcome),
        result=result_text(entry),
        address=entry.address,
        record=render_json(entry.detail or "{}"),
    )
