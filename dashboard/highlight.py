"""JSON for reading, rendered on the server: one element per line, coloured, bounded, nothing hidden in it.

Every piece of a payload goes through `escape` and `visible_block`; markup is only ever our own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias, TypeVar

from markupsafe import Markup, escape

from .visible import visible_block

_T = TypeVar("_T")

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""What `json.loads` returns."""

MAX_SHOWN: Final = 64 * 1024
"""Characters of one payload on a page; the whole of it is one link away."""

FOLD_ABOVE: Final = 100
"""Array items shown before the rest is folded."""

_MAX_STRING: Final = 8_000
_MAX_DEPTH: Final = 60
REDACTED: Final = ("[redacted]", "[secret]")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A payload as markup."""

    name: ClassVar[str] = "json"
    lines: Markup
    is_cut: bool
    """Whether more was there than is shown."""


class _Budget(Exception):
    """The bound on what one page shows is used up."""


_Piece = tuple[str, str]
"""A class of the style sheet (or none) and text."""


class _Writer:
    def __init__(self, limit: int) -> None:
        self.parts: list[str] = []
        self._left = limit
        self._is_cut = False

    def line(self, depth: int, *pieces: _Piece) -> None:
        self._left -= 2 * depth + sum(len(text) for _, text in pieces)
        self.parts.append(f'<span class="l">{"  " * depth}{"".join(map(_markup, pieces))}</span>')
        if self._left < 0:
            raise _Budget

    def open_fold(self, depth: int, hidden: int) -> None:
        self.parts.append(f'<details><summary class="l">{"  " * depth}… {hidden:,} more items</summary>')

    def close_fold(self) -> None:
        self.parts.append("</details>")

    def string(self, text: str) -> str:
        """Return the inside of a JSON string, in readable letters, cut when it is very long."""
        shown = visible_block(json.dumps(text[:_MAX_STRING], ensure_ascii=False)[1:-1])
        if len(text) <= _MAX_STRING:
            return shown
        self._is_cut = True
        return f"{shown}… ({len(text):,} characters)"

    def rendered(self, *, is_cut: bool) -> Rendered:
        return Rendered(Markup("".join(self.parts)), is_cut or self._is_cut)


def _markup(piece: _Piece) -> str:
    css, text = piece
    return f'<span class="{css}">{escape(text)}</span>' if css else str(escape(text))


def render_json(text: str | None, *, limit: int = MAX_SHOWN) -> Rendered:
    """Return a payload's lines. Text that is not JSON (a payload cut in the log) is shown as it is."""
    writer = _Writer(limit)
    try:
        try:
            value: Json = json.loads(text or "")
        except (ValueError, RecursionError):
            return render_text(text or "", limit=limit)
        _value(writer, value, 0, (), "")
    except _Budget:
        # A `<details>` that is still open ends with its parent element.
        return writer.rendered(is_cut=True)
    return writer.rendered(is_cut=False)


def render_text(text: str, *, limit: int = MAX_SHOWN) -> Rendered:
    """Return a text as it is, one element per line, with what hides in it made visible."""
    writer = _Writer(limit)
    for line in visible_block(text[:limit]).splitlines():
        writer.parts.append(f'<span class="l">{escape(line)}</span>')
    return writer.rendered(is_cut=len(text) > limit)


def _value(writer: _Writer, value: Json, depth: int, lead: tuple[_Piece, ...], comma: str) -> None:
    if isinstance(value, dict) and value and depth < _MAX_DEPTH:
        writer.line(depth, *lead, ("", "{"))
        for is_last, (key, item) in _with_last(list(value.items())):
            name = (("k", f'"{writer.string(key)}"'), ("q", ": "))
            _value(writer, item, depth + 1, name, "" if is_last else ",")
        writer.line(depth, ("", "}" + comma))
    elif isinstance(value, list) and value and depth < _MAX_DEPTH:
        _array(writer, value, depth, lead, comma)
    else:
        writer.line(depth, *lead, _scalar(writer, value), ("", comma))


def _array(writer: _Writer, items: list[Json], depth: int, lead: tuple[_Piece, ...], comma: str) -> None:
    writer.line(depth, *lead, ("", "["))
    for is_last, (index, item) in _with_last(list(enumerate(items))):
        if index == FOLD_ABOVE:
            writer.open_fold(depth + 1, len(items) - FOLD_ABOVE)
        _value(writer, item, depth + 1, (), "" if is_last else ",")
    if len(items) > FOLD_ABOVE:
        writer.close_fold()
    writer.line(depth, ("", "]" + comma))


def _scalar(writer: _Writer, value: Json) -> _Piece:
    if isinstance(value, str):
        return ("red", "redacted") if value in REDACTED else ("t", f'"{writer.string(value)}"')
    if isinstance(value, bool) or value is None:
        return "b", json.dumps(value)
    if isinstance(value, int | float):
        return "d", json.dumps(value)[:_MAX_STRING]
    return "", json.dumps(value)[:_MAX_STRING]


def _with_last(items: list[_T]) -> Iterator[tuple[bool, _T]]:
    for index, item in enumerate(items):
        yield index == len(items) - 1, item
