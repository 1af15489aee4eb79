"""The filter field above a list: the filter's terms as removable chips, and the words still being typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ...server.filters import Filter, FilterError, parse_filter


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
class FilterBar:
    """The field itself. `q` is what the chips spell; `typing` is not a chip yet."""

    template: ClassVar[str] = "sessions/_filter.html"
    name: ClassVar[str] = "bar"
    q: str
    typing: str
    chips: tuple[Chip, ...]
    sort: str
    size: str
    error: str


class Asked:
    """A filter as a request spells it: finished terms in `q`, the ones being typed in `add`."""

    def __init__(self, q: str, add: str = "") -> None:
        self.q = q.strip()
        self.add = add.strip()
        self.error = ""
        try:
            self.filter = parse_filter(f"{self.q} {self.add}".strip())
        except FilterError as error:
            self.error = error.message
            self.filter = parse_filter("")


def make_chips(query: Filter, address: Callable[[str], str]) -> tuple[Chip, ...]:
    """Return a chip per term; `address` turns a filter's text into the list's address."""
    chips: list[Chip] = []
    for term in query.terms:
        rest = " ".join(other.text for other in query.terms if other is not term)
        head, colon, value = term.text.partition(":")
        is_free = not colon or '"' in head
        chips.append(Chip("" if is_free else head + colon, term.text if is_free else value, term.text, address(rest)))
    return tuple(chips)


def make_bar(asked: Asked, address: Callable[[str], str], *, sort: str, size: str) -> FilterBar:
    """Return the filter field; its chips stay what they were when the words being typed are wrong."""
    try:
        finished = parse_filter(asked.q)
    except FilterError:
        return FilterBar("", f"{asked.q} {asked.add}".strip(), (), sort, size, asked.error)
    return FilterBar(finished.text, asked.add, make_chips(finished, address), sort, size, asked.error)
