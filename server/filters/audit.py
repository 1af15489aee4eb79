"""The keys a filter of the audit log may use: the same language about actions instead of sessions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from ..models import AuditEntry
from .fields import SEARCH_KEY, Field, ValueKind
from .language import Filter, parse_filter
from .matching import Matchable

_ALL = (
    Field("actor", ValueKind.TEXT, ("actor",), "who acted", "ada or ci-*"),
    Field("role", ValueKind.TEXT, ("role",), "the role it was done with", "admin", ("viewer", "operator", "admin")),
    Field("action", ValueKind.TEXT, ("action",), "what was done", "expire or *_key"),
    Field(
        "outcome",
        ValueKind.TEXT,
        ("outcome",),
        "what came of it",
        "failed,refused",
        ("done", "partly", "refused", "failed", "started"),
    ),
    Field("target", ValueKind.TEXT, ("target",), "what it was about, as written", "state:idle*"),
    Field("session", ValueKind.SEARCH, ("target", "detail"), "a session it was about or reached", "3KQ8Z1VN0T2AF"),
    Field("reason", ValueKind.SEARCH, ("reason",), "words of the reason", "INC-2291"),
    Field("address", ValueKind.TEXT, ("address",), "where it came from", "10.0.*"),
    Field("age", ValueKind.DURATION, ("at",), "how long ago", "<1h"),
    Field(
        SEARCH_KEY,
        ValueKind.SEARCH,
        ("actor", "action", "target", "reason", "outcome", "detail", "address"),
        "words or a quoted phrase anywhere in the entry",
        "deploy",
    ),
)

AUDIT_FIELDS: Mapping[str, Field] = MappingProxyType({field.key: field for field in _ALL})
"""Every key of the audit log's filters, in the order of its help."""


def parse_audit_filter(text: str) -> Filter:
    """Return the filter of audit entries that `text` spells.

    Raises:
        FilterError: As for `parse_filter`.
    """
    return parse_filter(text, AUDIT_FIELDS)


def matches_entry(query: Filter, entry: AuditEntry, now: float) -> bool:
    """Whether every term of an audit filter holds for an entry."""
    return query.matches(cast(Matchable, entry), now)
