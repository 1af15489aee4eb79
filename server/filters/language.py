"""The filter language: one string, the same in the input, the URL, the API, bulk actions and the audit log.

    state:active,idle client:claude-code version:>=2.1 errors:>0 idle:>10m -client:inspector "free text"

Terms are separated by spaces and all of them must hold; values are separated by commas and one of
them must hold; `-` before a term turns it round. Text compares without regard to case, `*` stands
for any characters. In double quotes `\\` escapes `"`, `\\` and `*`, and operators are plain text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .errors import FilterError
from .fields import FIELDS, SEARCH_KEY, Field
from .matching import Matchable, Predicate, Term, compile_terms
from .parsing import MAX_LENGTH, MAX_TERMS, parse_terms, quote_value

__all__ = ["MAX_LENGTH", "MAX_TERMS", "Filter", "FilterError", "Matchable", "Term", "parse_filter", "quote_value"]


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter. Two filters are equal when their canonical texts are."""

    text: str
    """The canonical spelling: parsing it gives this filter again."""
    terms: tuple[Term, ...] = field(compare=False)
    _predicate: Predicate = field(compare=False, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether everything matches."""
        return not self.terms

    def matches(self, item: Matchable, now: float) -> bool:
        """Whether every term holds for the session at the time `now`."""
        return self._predicate(item, now)

    def without(self, key: str) -> Filter:
        """Return the filter less every term of `key`; free text has the key `text`."""
        return _build(term for term in self.terms if term.key != key)

    def __str__(self) -> str:
        return self.text


def parse_filter(text: str, fields: Mapping[str, Field] = FIELDS) -> Filter:
    """Return the filter that `text` spells; blank text matches everything.

    Args:
        fields: The vocabulary: those of sessions, or `AUDIT_FIELDS`.

    Raises:
        FilterError: Something in it is unknown or malformed, it is longer than 2,000 characters, or
            it has more than 50 terms or values.
    """
    return _build(parse_terms(text, fields))


def _build(terms: Iterable[Term]) -> Filter:
    unique = tuple({term.text: term for term in terms}.values())
    return Filter(" ".join(term.text for term in unique), unique, compile_terms(unique))


def known_keys() -> tuple[str, ...]:
    """Return every key that may stand before a colon, in the order of the help, without free text's own."""
    return tuple(key for key in FIELDS if key != SEARCH_KEY)
