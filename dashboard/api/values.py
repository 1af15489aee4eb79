"""JSON of strangers in and out: times, request ids, payloads, and text that a store can hold."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Annotated, Final, cast

from pydantic import AfterValidator, Field

Time = str
"""A moment as ISO 8601 text in UTC."""

MAX_FILTER_LENGTH: Final = 2_000

MAX_DEPTH: Final = 400
"""Deeper JSON is not taken apart: reading and writing it again would meet the interpreter's own bound."""

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds a NUL or half a surrogate pair")
    return text


PlainText = Annotated[str, AfterValidator(_storable)]
"""Text without NUL and lone surrogates."""

Reason = Annotated[
    PlainText, Field(min_length=1, max_length=500, description="Written to the audit log and told to the client.")
]

FilterText = Annotated[
    PlainText,
    Field(max_length=MAX_FILTER_LENGTH, description='As in the console: `state:active client:acme* -"free text"`.'),
]


def timestamp(at: float) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds and `Z`."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def optional_timestamp(at: float | None) -> str | None:
    """Return `timestamp(at)`, or `None`."""
    return None if at is None else timestamp(at)


def parse_json(text: str | None) -> tuple[object, bool]:
    """Return the value of a stored JSON text, and whether it is whole.

    `(None, False)` stands for a text that was cut, and for one that cannot be written as JSON again
    (an integer of more than 4,300 digits, or nesting deeper than `MAX_DEPTH`).
    """
    if text is None or _depth(text) > MAX_DEPTH:
        return None, False
    try:
        value: object = json.loads(text, parse_constant=_refuse, parse_float=_parse_float)
    except ValueError:
        return None, False
    return value, True


def parse_request_id(text: str | None) -> str | int | float | None:
    """Return a JSON-RPC id in its JSON type from its stored JSON text."""
    value, _ = parse_json(text)
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def depth_of(value: object) -> int:
    """Return how deep a JSON value is nested: 0 for plain values, 1 for `[]`, 2 for `[[]]`."""
    depth, level = 0, [value]
    while any(isinstance(each, dict | list) for each in level):
        depth += 1
        level = [child for each in level for child in _children(each)]
    return depth


def members(value: object) -> dict[str, object]:
    """Return the members of a JSON object; none for any other value."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _children(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else list(members(value).values())


def _depth(text: str) -> int:
    # Most messages have few brackets, and cannot be deeper than that.
    opening = text.count("[") + text.count("{")
    if opening <= MAX_DEPTH:
        return opening
    depth = deepest = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _parse_float(text: str) -> float | str:
    value = float(text)
    # 1e999 is valid JSON and no double; its digits are all that can be given back.
    return value if math.isfinite(value) else text
