"""The filter language of the input field, the URL, the API, bulk actions and the audit log."""

from __future__ import annotations

from .language import Filter, FilterError, Matchable, Term, known_keys, parse_filter, quote_value

__all__ = ["Filter", "FilterError", "Matchable", "Term", "known_keys", "parse_filter", "quote_value"]
