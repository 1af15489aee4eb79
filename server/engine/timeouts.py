"""How long a session may be idle and may live: its own limits, else those of a rule, else the server's.

A rule is a filter and limits: `client:claude* -> idle=2h lifetime=1d; principal:svc:* -> idle=none`. The first one
that matches decides; what it leaves out is the server's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import InvalidInput, StartupError
from ..filters import Filter, Matchable, parse_filter
from ..filters.durations import MAX_SECONDS, read_limit, spell
from ..models import EventKind, SessionRecord, note_transition
from ..settings import Settings
from .session import LiveSession, forget_outcome

if TYPE_CHECKING:
    from .engine import Engine

_STABLE_KEYS: Final = ("client", "version", "principal", "server", "transport", "kind", "protocol", "address")
_SETTING: Final = "SWITCHROOM_TIMEOUT_RULES"


class Timeouts(NamedTuple):
    """The limits in force for one session; `None` is no limit."""

    idle_seconds: float | None
    lifetime_seconds: float | None
    idle_from: str
    """`session`, `server`, or the rule's filter."""
    lifetime_from: str


class _Rule(NamedTuple):
    query: Filter
    limits: Mapping[str, float]


class TimeoutPolicy:
    """The settings and rules of one server."""

    def __init__(self, settings: Settings) -> None:
        """Raises:
        StartupError: A rule cannot be read; names the setting, the rule and what is allowed.
        """
        self._idle = settings.idle_seconds
        self._lifetime = settings.lifetime_seconds
        self._rules = tuple(_read_rule(text) for text in _split(settings.timeout_rules))

    def of(self, record: SessionRecord, view: Matchable) -> Timeouts:
        """Return the limits in force for a session."""
        rule = next((rule for rule in self._rules if rule.query.matches(view, 0.0)), None) if self._rules else None
        idle, idle_from = _pick(record.idle_seconds, rule, "idle", self._idle)
        lifetime, lifetime_from = _pick(record.lifetime_seconds, rule, "lifetime", self._lifetime)
        return Timeouts(idle, lifetime, idle_from, lifetime_from)


def _pick(own: float | None, rule: _Rule | None, name: str, default: float | None) -> tuple[float | None, str]:
    if own is not None:
        return own or None, "session"
    if rule is not None and name in rule.limits:
        return rule.limits[name] or None, rule.query.text
    return default, "server"


def give_timeouts(
    engine: Engine,
    session: LiveSession,
    *,
    idle_seconds: float | None,
    lifetime_seconds: float | None,
    by: str | None = None,
    reason: str | None = None,
) -> Timeouts:
    """Give a session limits of its own, and return those in force; `None` takes one back, `NO_LIMIT` lifts it.

    Args:
        by: The operator who does it; `None` for a tool.
    """
    record = session.record
    record.idle_seconds, record.lifetime_seconds = idle_seconds, lifetime_seconds
    chosen = engine.timeouts(session)
    cause = f"limits: idle {spell(chosen.idle_seconds)}, lifetime {spell(chosen.lifetime_seconds)}"
    note_transition(record, time.time(), cause, by=by, reason=reason)
    detail: dict[str, object] = {"idle_seconds": chosen.idle_seconds, "lifetime_seconds": chosen.lifetime_seconds}
    if by is not None:
        detail |= {"by": by, "reason": reason}
    session.note(EventKind.LIFECYCLE if by is None else EventKind.OPERATOR, "set_timeouts", json.dumps(detail))
    engine.save(session).add_done_callback(forget_outcome)
    return chosen


def check_seconds(name: str, seconds: float | None) -> float | None:
    """Return a limit as a record keeps it.

    Raises:
        InvalidInput: It is negative or longer than anybody means.
    """
    if seconds is not None and not 0 <= seconds <= MAX_SECONDS:
        raise InvalidInput(
            f"{name} is a number of seconds, at most {MAX_SECONDS:,.0f}; 0 is no limit, null the server's own.",
            field=name,
        )
    return seconds


def _split(text: str) -> list[str]:
    """Split rules at `;` and line ends outside double quotes."""
    rules: list[str] = []
    current, is_quoted, previous = "", False, ""
    for character in text:
        if character == '"' and previous != "\\":
            is_quoted = not is_quoted
        if character in ";\n" and not is_quoted:
            rules.append(current)
            current = ""
        else:
            current += character
        previous = character
    return [rule.strip() for rule in (*rules, current) if rule.strip()]


def _read_rule(text: str) -> _Rule:
    spelled, arrow, limits = text.rpartition("->")
    if not arrow:
        raise _wrong(text, "it has no ->")
    try:
        query = parse_filter(spelled)
    except InvalidInput as error:
        raise _wrong(text, error.message) from error
    for term in query.terms:
        if term.key not in _STABLE_KEYS:
            raise _wrong(text, f'"{term.key}" changes while a session lives; rules take {", ".join(_STABLE_KEYS)}')
    found: dict[str, Any] = {}
    for part in limits.replace(",", " ").split():
        name, _, value = part.partition("=")
        seconds = read_limit(value)
        if name not in ("idle", "lifetime") or seconds is None:
            raise _wrong(text, f'"{part}" is no limit')
        found[name] = seconds
    if not found:
        raise _wrong(text, "it sets no limit")
    return _Rule(query, MappingProxyType(found))


def _wrong(rule: str, why: str) -> StartupError:
    return StartupError(
        f"{_SETTING}: the rule “{rule[:200]}” cannot be used: {why}. A rule is FILTER -> idle=DURATION "
        "lifetime=DURATION (30m, 2h, 1d or none); rules are separated by ; or line ends."
    )
