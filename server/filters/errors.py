"""What is wrong with a filter, said to the person who typed it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

from ..errors import InvalidInput

_SHOWN = 40


class FilterError(InvalidInput):
    """A filter that cannot be read: where, why, and what was probably meant."""

    def __init__(self, message: str, *, position: int, nearest: str | None = None) -> None:
        super().__init__(message, position=position, nearest=nearest)
        self.position = position
        """Offset of the first wrong character."""
        self.nearest = nearest
        """The valid key or value closest to what was typed, or `None`."""


def unknown_key(key: str, position: int, keys: Iterable[str]) -> FilterError:
    """Return the error for a key that does not exist."""
    nearest = _nearest(key, keys)
    return FilterError(
        f'Unknown key "{shorten(key)}" at character {position + 1}: did you mean "{nearest}"? '
        "Put text with a colon in double quotes to search for it.",
        position=position,
        nearest=nearest,
    )


def unknown_value(key: str, value: str, position: int, choices: Iterable[str]) -> FilterError:
    """Return the error for a value that is not one of the key's choices."""
    names = tuple(choices)
    nearest = _nearest(value, names)
    return FilterError(
        f'"{shorten(value)}" is not a value of "{key}:": did you mean "{nearest}"? It takes {", ".join(names)}.',
        position=position,
        nearest=nearest,
    )


def shorten(text: str) -> str:
    """Return at most 40 characters of something typed, for a message."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _nearest(typed: str, names: Iterable[str]) -> str:
    start = typed[:_SHOWN].casefold()
    return max(names, key=lambda name: SequenceMatcher(None, start, name).ratio())
