"""The filter field above a list: the filter's terms as removable chips, and the words still being typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

from ...server.filters import Filter, FilterError, parse_filter

_UNFINISHED: Final = re.compile(r"(^|\s)-?([a-z]+:[<>=]*)?$")
"""A key whose value is still to be typed, or a lone `-`: no fault yet, while the words before it count."""

SESSIONS_HINT: Final = "Add filter, for example errors:>0 or idle:>10m"


@dataclass(frozen=True, slots=True)
class Chip:
    """One term of the filter, and the address of the list without it."""

    name: ClassVar[str] = "chip"
    key: str
    """`protocol:`, `-client:`, or empty for free text."""
    value: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of the address that the filter field leaves as it is."""

    name: ClassVar[str] = "part"
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class FilterBar:
    """The field itself. `q` is what the chips spell; `typing` is not a chip yet."""

    template: ClassVar[str] = "_filter.html"
    name: ClassVar[str] = "bar"
    action: str
    q: str
    typing: str
    chips: tuple[Chip, ...]
    kept: tuple[Kept, ...]
    clear_url: str
    suggestions_url: str
    hint: str
    error: str


class Asked:
    """A filter as a request spells it: finished terms in `q`, the ones being typed in `add`."""

    def __init__(
        self, q: str, add: str = "", parse: Callable[[str], Filter] = parse_filter, *, is_finished: bool = False
    ) -> None:
        """Args:
        is_finished: Whether the words in `add` are meant as they stand; otherwise the last one may be half typed.
        """
        self.q = q.strip()
        self.add = add.strip()
        self.parse = parse
        """Reads a filter in the vocabulary of the list."""
        self.error = ""
        try:
            self.filter = parse(f"{self.q} {self.add if is_finished else _UNFINISHED.sub('', self.add)}".strip())
        except FilterError as error:
            self.error = error.message
            self.filter = parse("")


def make_chips(query: Filter, address: Callable[[str], str]) -> tuple[Chip, ...]:
    """Return a chip per term; `address` turns a filter's text into the list's address."""
    chips: list[Chip] = []
    for term in query.terms:
        rest = " ".join(other.text for other in query.terms if other is not term)
        head, colon, value = term.text.partition(":")
        is_free = not colon or '"' in head
        chips.append(Chip("" if is_free else head + colon, term.text if is_free else value, term.text, address(rest)))
    return tuple(chips)


def make_bar(
    asked: Asked,
    address: Callable[[str], str],
    *,
    suggestions_url: str,
    kept: Mapping[str, object] = MappingProxyType({}),
    hint: str = SESSIONS_HINT,
) -> FilterBar:
    """Return the filter field; its chips stay what they were when the words being typed are wrong.

    Args:
        address: Turns a filter's text into the address of the list.
        kept: What the form sends along beside the filter.
    """
    action = address("").partition("?")[0]
    parts = kept_parts(kept)
    try:
        finished = asked.parse(asked.q)
        q, typing, chips = finished.text, asked.add, make_chips(finished, address)
    except FilterError:
        q, typing, chips = "", f"{asked.q} {asked.add}".strip(), ()
    return FilterBar(action, q, typing, chips, parts, address(""), suggestions_url, hint, asked.error)


def kept_parts(kept: Mapping[str, object]) -> tuple[Kept, ...]:
    """Return what a form sends along, less what is not set."""
    return tuple(Kept(key.rstrip("_"), "1" if value is True else str(value)) for key, value in kept.items() if value)
