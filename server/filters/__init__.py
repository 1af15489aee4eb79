"""The filter language of the input field, the URL, the API, bulk actions and the audit log."""

from __future__ import annotations

from .audit import AUDIT_FIELDS, matches_entry, parse_audit_filter
from .language import Filter, FilterError, Matchable, Term, known_keys, parse_filter, quote_value

__all__ = [
    "AUDIT_FIELDS",
    "Filter",
    "FilterError",
    "Matchable",
    "Term",
    "known_keys",
    "matches_entry",
    "parse_audit_filter",
    "parse_filter",
    "quote_value",
]
