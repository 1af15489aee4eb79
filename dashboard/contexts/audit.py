"""Operators' actions: intent and outcome as one row."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ...server.filters import FilterError, parse_filter
from ...server.models import AuditEntry
from ..highlight import Rendered, render_json
from ..jsontext import object_of
from ..urls import Urls
from ..wording import OUTCOMES, action_label, result_text
from .filterbar import FilterBar
from .paging import Option
from .verdicts import Verdicts


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
    bar: FilterBar
    trail: AuditTrail
    newest_url: str
    exports: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ActionPage:
    """One action whole: what was asked for, and what became of each session."""

    template: ClassVar[str] = "audit/show.html"
    name: ClassVar[str] = "deed"
    id: str
    at: float
    actor: str
    role: str
    action: str
    target: str
    target_url: str
    """The list of the sessions a filter matches now; empty when the target is no filter."""
    reason: str
    outcome: str
    outcome_label: str
    result: str
    address: str
    verdicts: Verdicts | None
    more_url: str
    """Another page that says more, such as a broadcast's receipts."""
    more_label: str
    record: Rendered


def make_action(entry: AuditEntry, urls: Urls, verdicts: Verdicts | None, *, is_job: bool = False) -> ActionPage:
    """Return the page of an action; `is_job` says that it has a page that shows how far it is."""
    detail = object_of(entry.detail)
    broadcast = detail.get("broadcast")
    more_url = urls.broadcast(broadcast) if isinstance(broadcast, str) else ""
    listed = {name: result for name, result in detail.items() if name != "sessions"}
    return ActionPage(
        id=entry.action_id,
        at=entry.at,
        actor=entry.actor,
        role=entry.role,
        action=action_label(entry.action),
        target=entry.target,
        target_url=_target_url(entry.target, urls),
        reason=entry.reason,
        outcome=entry.outcome,
        outcome_label=OUTCOMES.get(entry.outcome, entry.outcome),
        result=result_text(entry),
        address=entry.address,
        verdicts=verdicts,
        more_url=urls.job(entry.action_id) if is_job else more_url,
        more_label="Progress" if is_job else "Receipts",
        record=render_json(json.dumps(listed)),
    )


def _target_url(target: str, urls: Urls) -> str:
    if ":" not in target:
        return ""
    try:
        return urls.sessions(parse_filter(target).text)
    except FilterError:
        return ""


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
    )
