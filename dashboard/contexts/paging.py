"""Keyset paging: the trail of cursors behind the present page makes `Previous` possible without offsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

PAGE_SIZES: Final = (25, 50, 100)
_LONGEST_TRAIL: Final = 20
"""Cursors kept in the address; further back, `First` still works."""


class Position(NamedTuple):
    """Where a list stands: the present cursor, the ones before it, and the number of rows before the page."""

    after: str = ""
    trail: tuple[str, ...] = ()
    start: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a short row of links."""

    name: ClassVar[str] = "option"
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Pager:
    """The line below a list."""

    template: ClassVar[str] = "_pager.html"
    name: ClassVar[str] = "pager"
    first: int
    last: int
    total: int
    noun: str
    sizes: tuple[Option, ...]
    first_url: str
    previous_url: str
    next_url: str


def parse_position(after: str, trail: str, start: int) -> Position:
    """Read the position from the query string; the trail's cursors are separated by spaces."""
    return Position(after, tuple(trail.split())[-_LONGEST_TRAIL:], max(0, start))


def make_pager(
    position: Position,
    *,
    shown: int,
    total: int,
    size: int,
    next_cursor: str | None,
    address: Callable[[Position], str],
    noun: str = "matching",
    sizes: Sequence[Option] = (),
) -> Pager:
    """Return the pager; `address` turns a position into the list's address."""
    here = position.after
    back = ""
    if here:
        before = position.trail[-1] if position.trail else ""
        if before or position.start <= size:
            back = address(Position(before.strip("-"), position.trail[:-1], max(0, position.start - size)))
    onward = ""
    if next_cursor:
        trail = (*position.trail, here or "-")[-_LONGEST_TRAIL:]
        onward = address(Position(next_cursor, trail, position.start + shown))
    return Pager(
        first=position.start + 1,
        last=position.start + shown,
        total=total,
        noun=noun,
        sizes=tuple(sizes),
        first_url=address(Position()) if here else "",
        previous_url=back,
        next_url=onward,
    )
