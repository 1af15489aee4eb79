"""Operators' actions: intent and outcome as one row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.filters import FilterError, parse_filter
from ...server.models import AuditEntry
from ..highlight import Rendered, render_json
from ..jsontext import object_of
from ..urls import Urls
from ..wording import OUTCOMES, action_label, result_text
from .filterbar import FilterBar
from .paging import Option


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
class SessionResult:
    """What an action did to one session."""

    name: ClassVar[str] = "reached"
    id: str
    url: str
    result: str


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
    outcomes: tuple[Option, ...]
    sessions: tuple[SessionResult, ...]
    total: int
    next_url: str
    more_url: str
    """Another page that says more, such as a broadcast's receipts."""
    record: Rendered


_RESULTS_SHOWN: Final = 100


def make_action(
    entry: AuditEntry, urls: Urls, results: Mapping[str, str], *, outcome: str = "", after: str = ""
) -> ActionPage:
    """Return the page of an action; `outcome` and `after` choose which of its results are shown."""
    wanted = {name: result for name, result in results.items() if not outcome or result == outcome}
    following = [each for each in sorted(wanted.items()) if each[0] > after]
    shown = following[:_RESULTS_SHOWN]
    detail = object_of(entry.detail)
    broadcast = detail.get("broadcast")
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
        outcomes=_choices(entry, urls, results, outcome),
        sessions=tuple(SessionResult(name, urls.session(name), result) for name, result in shown),
        total=len(wanted),
        next_url=urls.action(entry.action_id, outcome=outcome, after=shown[-1][0])
        if len(following) > len(shown)
        else "",
        more_url=urls.broadcast(broadcast) if isinstance(broadcast, str) else "",
        record=render_json(json.dumps(listed)),
    )


def _target_url(target: str, urls: Urls) -> str:
    if ":" not in target:
        return ""
    try:
        return urls.sessions(parse_filter(target).text)
    except FilterError:
        return ""


def _choices(entry: AuditEntry, urls: Urls, results: Mapping[str, str], outcome: str) -> tuple[Option, ...]:
    counted = Counter(results.values())
    if len(counted) < 2:
        return ()
    everything = Option(f"All {len(results):,}", urls.action(entry.action_id), not outcome)
    each = (
        Option(f"{name} {number:,}", urls.action(entry.action_id, outcome=name), name == outcome)
        for name, number in counted.most_common(8)
    )
    return (everything, *each)


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
