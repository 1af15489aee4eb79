"""A filter as SQL conditions on ended sessions or on the audit log; gives exactly what `Filter.matches` gives.

Text is folded by the same function as in memory, registered with each reading connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from ...filters import Filter, Term
from ...filters.fields import ENDED_STATUSES, ValueKind
from ...filters.matching import kinds_of, statuses_of
from ...filters.values import Op, Test

SESSION_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "id": "sref",
        "mcp_session_id_prefix": "sid_prefix",
        "client_name": "client",
        "client_version": "client_version",
        "protocol_version": "protocol",
        "principal": "coalesce(principal, '')",
        "server": "server",
        "worker_id": "worker",
        "address": "address",
        "request_count": "requests",
        "error_count": "errors",
        "in_flight": "0",
        "open_streams": "0",
        "key_count": "keys",
        "last_activity_at": "last_activity",
        "created_at": "created",
    }
)
"""The attributes of a session as expressions; of an ended one, nothing is open or in flight."""

_OUTCOME = (
    "(SELECT o.{0} FROM audit o WHERE o.action_id = a.action_id AND o.phase = 'outcome' ORDER BY o.id DESC LIMIT 1)"
)

AUDIT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        **{name: f"a.{name}" for name in ("at", "actor", "role", "action", "target", "reason", "address")},
        **{name: f"coalesce({_OUTCOME.format(name)}, a.{name})" for name in ("outcome", "detail")},
    }
)
"""The attributes of an audit entry: its first row, with its newest outcome."""

_GLOB_ESCAPES = str.maketrans({"[": "[[]", "?": "[?]", "*": "[*]"})


_NEVER = "state = ''"
"""Holds for no session. SQLite folds a constant away, and then cannot use the index that the query names."""


class Conditions:
    """SQL text to follow an existing condition, and its named parameters."""

    def __init__(self, query: Filter, now: float, columns: Mapping[str, str] = SESSION_COLUMNS) -> None:
        self._columns = columns
        self.parameters: dict[str, Any] = {"now": now}
        self.text = "".join(self._term(term) for term in query.terms)

    def _term(self, term: Term) -> str:
        condition = " OR ".join(self._test(term, test) for test in term.tests)
        if term.field.kind in (ValueKind.STATE, ValueKind.CHOICE):
            condition = self._choice(term)
        return f" AND {'NOT ' if term.is_negated else ''}({condition})"

    def _choice(self, term: Term) -> str:
        if term.field.kind is ValueKind.STATE:
            names = sorted(statuses_of(term.tests) & frozenset(ENDED_STATUSES))
            return f"state IN ({', '.join(map(self._bind, names))})" if names else _NEVER
        kinds = ", ".join(self._bind(kind.value) for kind in sorted(kinds_of(term)))
        return f"s.kind IN ({kinds})" if kinds else _NEVER

    def _test(self, term: Term, test: Test) -> str:
        columns = [self._columns[name] for name in term.field.attributes if name in self._columns]
        match term.field.kind:
            case ValueKind.STATE | ValueKind.CHOICE:
                return ""
            case ValueKind.NAMES:
                return _NEVER  # an ended session is a member of no group
            case ValueKind.COUNT:
                return f"{columns[0]} {test.op.value} {self._bind(test.operand)}"
            case ValueKind.DURATION:
                return f":now - {columns[0]} {test.op.value} {self._bind(test.operand)}"
            case ValueKind.SEARCH:
                joined = " || char(31) || ".join(columns)
                return f"instr(fold({joined}), {self._bind(test.operand)}) > 0"
            case ValueKind.VERSION if test.op is not Op.WILDCARD:
                return f"matches_version({self._bind(test.op.value)}, {columns[0]}, {self._bind(test.operand)})"
            case ValueKind.TEXT | ValueKind.DATE | ValueKind.VERSION:
                return " OR ".join(self._text(column, test) for column in columns)

    def _text(self, column: str, test: Test) -> str:
        if test.op is Op.WILDCARD:
            parts = cast(tuple[str, ...], test.operand)
            return f"fold({column}) GLOB {self._bind('*'.join(part.translate(_GLOB_ESCAPES) for part in parts))}"
        comparison = f"fold({column}) {test.op.value} {self._bind(test.operand)}"
        return f"(fold({column}) <> '' AND {comparison})" if test.op.is_ordering else comparison

    def _bind(self, value: object) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"
