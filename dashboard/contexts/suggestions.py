"""What completes the word being typed into a filter field: keys, values, and how many sessions have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.filters import quote_value
from ...server.filters.fields import SEARCH_KEY, Field, ValueKind

_SHOWN: Final = 9
_EXAMPLES: Final[Mapping[ValueKind, tuple[str, ...]]] = {
    ValueKind.COUNT: (">0", "0", ">10", ">100"),
    ValueKind.DURATION: (">10m", ">1h", "<1m", "<10m", "<1h", "<24h"),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One completion: the whole text of the field when it is taken."""

    name: ClassVar[str] = "offer"
    text: str
    label: str
    note: str
    is_whole: bool
    """Whether a term is complete with it, so that it becomes a chip."""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The list below the field."""

    template: ClassVar[str] = "_suggestions.html"
    name: ClassVar[str] = "completion"
    offers: tuple[Suggestion, ...]


def key_being_typed(typed: str) -> str:
    """Return the key whose value is being typed, or `""` while it is the key itself."""
    _, word = split_last(typed)
    key, colon, _ = word.removeprefix("-").partition(":")
    return key.casefold() if colon and '"' not in key else ""


def make_suggestions(typed: str, fields: Mapping[str, Field], known: Mapping[str, int]) -> Suggestions:
    """Return completions of the last word.

    Args:
        known: Values that occur for the key being typed, with how often.
    """
    before, word = split_last(typed)
    sign = "-" if word.startswith("-") else ""
    key, colon, rest = word.removeprefix("-").partition(":")
    field = fields.get(key.casefold()) if colon else None
    if field is not None:
        done, _, last = rest.rpartition(",")
        head = f"{before}{sign}{field.key}:{done}{',' if done else ''}"
        return Suggestions(tuple(_values(head, last, field, known)))
    if colon or word.startswith(('"', '-"')):
        return Suggestions(())
    return Suggestions(tuple(_keys(before + sign, key, fields)))


def split_last(typed: str) -> tuple[str, str]:
    """Return what stands before the last word, and the word; an open quote belongs to the word."""
    start, is_quoted = 0, False
    for position, character in enumerate(typed):
        if character == '"':
            is_quoted = not is_quoted
        elif character.isspace() and not is_quoted:
            start = position + 1
    return typed[:start], typed[start:]


def _keys(head: str, typed: str, fields: Mapping[str, Field]) -> Iterable[Suggestion]:
    start = typed.casefold()
    names = [key for key in fields if key != SEARCH_KEY]
    found = [key for key in names if key.startswith(start)] + [
        key for key in names if start and start in key[1:] and not key.startswith(start)
    ]
    for key in found[: _SHOWN if start else None]:
        field = fields[key]
        yield Suggestion(f"{head}{key}:", f"{key}:", f"{field.meaning}, {key}:{field.example}", is_whole=False)


def _values(head: str, typed: str, field: Field, known: Mapping[str, int]) -> Iterable[Suggestion]:
    start = typed.strip('"').casefold()
    counted = sorted(known.items(), key=lambda each: (-each[1], each[0]))
    choices = dict.fromkeys(field.choices) | dict.fromkeys(value for value, _ in counted)
    if not choices:
        choices = dict.fromkeys(_EXAMPLES.get(field.kind, ()))
    found = [value for value in choices if value.casefold().startswith(start)]
    found += [value for value in choices if start and start in value[1:].casefold() and value not in found]
    for value in found[:_SHOWN]:
        spelled = value if value.startswith(("<", ">")) else quote_value(value)
        number = known.get(value)
        yield Suggestion(f"{head}{spelled}", value, f"{number:,}" if number else "", is_whole=True)
