"""Columns of the sessions list: which there are, which are shown, and the chooser."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from .filterbar import Kept


class ColumnKind(NamedTuple):
    """What a column is called and how it is set."""

    label: str
    css: str
    sort: str
    """Name of its order; empty when the list cannot be sorted by it."""
    is_usual: bool
    """Whether it is shown unless the operator says otherwise."""


COLUMNS: Final[dict[str, ColumnKind]] = {
    "session": ColumnKind("Session", "", "created", True),
    "state": ColumnKind("State", "", "", True),
    "client": ColumnKind("Client", "", "client", True),
    "protocol": ColumnKind("Protocol", "opt2", "", True),
    "transport": ColumnKind("Transport", "opt2", "", False),
    "principal": ColumnKind("Principal", "opt1", "", True),
    "server": ColumnKind("Server", "opt2", "", False),
    "worker": ColumnKind("Worker", "opt3", "", False),
    "address": ColumnKind("Address", "opt2", "", False),
    "recent": ColumnKind("Last 5 min", "opt2", "", True),
    "requests": ColumnKind("Requests", "n", "requests", True),
    "errors": ColumnKind("Errors", "n", "errors", True),
    "inflight": ColumnKind("In flight", "n opt1", "", True),
    "streams": ColumnKind("Streams", "n opt3", "", True),
    "keys": ColumnKind("Keys", "n opt3", "keys", True),
    "events": ColumnKind("Events", "n opt3", "", False),
    "age": ColumnKind("Age", "n opt3", "created", False),
    "expires": ColumnKind("Expires in", "n opt3", "", False),
    "seen": ColumnKind("Last seen", "n", "last_seen", True),
}
"""In the order they stand in. The session's own is always shown."""

USUAL: Final = frozenset(key for key, column in COLUMNS.items() if column.is_usual)
SORT_KEYS: Final = frozenset(column.sort for column in COLUMNS.values() if column.sort)


@dataclass(frozen=True, slots=True)
class Column:
    """A column head; `url` sorts by it, `direction` is set on the one in force."""

    name: ClassVar[str] = "column"
    label: str
    css: str
    url: str
    direction: str


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """One box of the chooser."""

    name: ClassVar[str] = "pickable"
    key: str
    label: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Chooser:
    """The form that chooses columns and density; both end up in the address."""

    template: ClassVar[str] = "sessions/_columns.html"
    name: ClassVar[str] = "chooser"
    kept: tuple[Kept, ...]
    choices: tuple[ColumnChoice, ...]
    is_compact: bool
    usual_url: str
    """The list with the usual columns; empty while those are shown."""


def parse_columns(texts: Iterable[str]) -> frozenset[str]:
    """Return the columns that the address names, or the usual ones when it names none that there is."""
    named = {key for text in texts for key in text.split(",")} & set(COLUMNS)
    return frozenset(named | {"session"}) if named else USUAL


def spell_columns(shown: frozenset[str]) -> str:
    """Return the columns as the address names them; empty for the usual ones."""
    return "" if shown == USUAL else ",".join(key for key in COLUMNS if key in shown and key != "session") or "session"


def make_columns(sort: str, address: Callable[[str], str], shown: frozenset[str] = USUAL) -> tuple[Column, ...]:
    """Return the column heads; following the one in force turns its direction round."""
    columns: list[Column] = []
    for key, column in COLUMNS.items():
        if key not in shown:
            continue
        is_current = sort.lstrip("-") == column.sort and bool(column.sort)
        direction = ("descending" if sort.startswith("-") else "ascending") if is_current else ""
        is_turned = (is_current and sort.startswith("-")) or (column.sort == "client" and not is_current)
        turned = column.sort if is_turned else f"-{column.sort}"
        columns.append(Column(column.label, column.css, address(turned) if column.sort else "", direction))
    return tuple(columns)


def make_chooser(shown: frozenset[str], kept: tuple[Kept, ...], *, is_compact: bool, usual_url: str) -> Chooser:
    """Return the form; the session's own column is not among the choices."""
    choices = tuple(
        ColumnChoice(key, column.label, key in shown) for key, column in COLUMNS.items() if key != "session"
    )
    return Chooser(kept, choices, is_compact, usual_url if shown != USUAL or is_compact else "")
