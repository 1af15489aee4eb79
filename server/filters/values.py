"""What single values of a filter mean: operators, wildcards, versions and durations."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

SEARCH_SEPARATOR = "\x1f"
"""Stands between the attributes free text looks in. No filter can contain it."""

_VERSION = re.compile(r"[vV]?([0-9]{1,15}(?:\.[0-9]{1,15}){0,15})(.{0,64})", re.DOTALL)
_VERSION_PART = re.compile(r"[0-9]{1,15}|[a-z]+")
_DURATION = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,3})?(?:ms|s|m|h|d|w))+")
_DURATION_PART = re.compile(r"([0-9.]+)(ms|s|m|h|d|w)")
_UNIT_SECONDS = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0), ("w", 604800.0))


class Op(StrEnum):
    """How a test compares."""

    EQUAL = "="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    WILDCARD = "*"
    CONTAINS = "~"

    @property
    def is_ordering(self) -> bool:
        return self in (Op.LESS, Op.LESS_EQUAL, Op.GREATER, Op.GREATER_EQUAL)


class Test(NamedTuple):
    """One value of a term, ready to compare."""

    op: Op
    operand: str | float | tuple[str, ...]
    """Folded text, a number (a duration in seconds), or the folded parts between the wildcards."""
    text: str
    """The canonical spelling, operator included."""


VersionKey = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]


def fold(text: str | None) -> str:
    """Return the text as comparisons see it: without case, and empty when absent."""
    return text.casefold() if text else ""


def matches_wildcard(parts: tuple[str, ...], value: str) -> bool:
    """Whether `value` is the parts in order with anything between them. Linear in the value for each part."""
    first, last = parts[0], parts[-1]
    end = len(value) - len(last)
    if end < len(first) or not value.startswith(first) or not value.endswith(last):
        return False
    position = len(first)
    for part in parts[1:-1]:
        found = value.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def version_key(text: str) -> VersionKey | None:
    """Return a sortable key of a dotted version, or `None` when it does not begin with a number.

    `2.1` equals `2.1.0`; `2.1-beta.2` comes before `2.1`; what follows a `+` does not count.
    """
    match = _VERSION.match(text)
    if match is None:
        return None
    numbers = [int(part) for part in match[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    suffix = match[2].casefold().partition("+")[0]
    parts = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _VERSION_PART.findall(suffix))
    return tuple(numbers), 0 if parts else 1, parts


def compares(op: Op, difference: int) -> bool:
    """Whether an ordering operator holds for the sign of `value - operand`."""
    match op:
        case Op.LESS:
            return difference < 0
        case Op.LESS_EQUAL:
            return difference <= 0
        case Op.GREATER:
            return difference > 0
        case Op.GREATER_EQUAL:
            return difference >= 0
        case _:
            return difference == 0


def matches_version(op: Op, value: str, operand: str) -> bool:
    """Whether a version compares so; one without a number only ever equals the same text."""
    left, right = version_key(value), version_key(operand)
    if left is None or right is None:
        return op is Op.EQUAL and fold(value) == fold(operand)
    return compares(op, (left > right) - (left < right))


def parse_duration(text: str) -> float | None:
    """Return seconds for `90s`, `10m`, `1h30m`, `1.5d`, `2w`, or `None` when it is nothing like that."""
    if len(text) > 40 or not _DURATION.fullmatch(text):
        return None
    units = dict(_UNIT_SECONDS)
    return sum(float(amount) * units[unit] for amount, unit in _DURATION_PART.findall(text))
