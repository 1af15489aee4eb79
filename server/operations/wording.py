"""What a broadcast says: its fields as they were filled in, and whether they can be sent."""

from __future__ import annotations

import json
from typing import Final, NamedTuple, cast

from ..data.messages import LEVELS
from ..errors import InvalidInput
from ..modern.listeners import LOG_MESSAGE
from .sending import LIST_CHANGES, METHODS

MAX_TEXT: Final = 10_000
MAX_LOGGER: Final = 64
MAX_DEPTH: Final = 50
"""Nesting of a message in JSON: more than this and some clients refuse to read it."""
MAX_TTL_SECONDS: Final = 7 * 24 * 3600.0

LOGGER: Final = "switchroom"
"""The `logger` field of a broadcast's log message, unless its sender names another."""


class Wording(NamedTuple):
    """What an operator wants to say, as it was filled in."""

    text: str = ""
    level: str = "info"
    method: str = LOG_MESSAGE
    logger: str = LOGGER
    is_json: bool = False


def check_wording(wording: Wording) -> object:
    """Return the data a log message carries; `None` for a list-changed notification.

    Raises:
        InvalidInput: Something in it is empty, malformed, unknown or too long.
    """
    if wording.method not in METHODS:
        raise InvalidInput(f"{wording.method!r} cannot be broadcast: use one of {', '.join(METHODS)}.", field="method")
    if wording.method in LIST_CHANGES:
        return None
    if not wording.text:
        raise InvalidInput("Write a message.", field="text")
    if len(wording.text) > MAX_TEXT:
        length = len(wording.text)
        raise InvalidInput(f"A message may have {MAX_TEXT:,} characters; this has {length:,}.", field="text")
    if wording.level not in LEVELS:
        raise InvalidInput(f"{wording.level!r} is no level: use one of {', '.join(LEVELS)}.", field="level")
    if not wording.logger or len(wording.logger) > MAX_LOGGER or not wording.logger.isprintable():
        raise InvalidInput(f"A logger's name has 1 to {MAX_LOGGER} printable characters.", field="logger")
    return _parsed(wording.text) if wording.is_json else wording.text


def check_ttl(ttl_seconds: float | None) -> None:
    """Refuse a time that is out of bounds.

    Raises:
        InvalidInput: With the bounds.
    """
    if ttl_seconds is not None and not 0 <= ttl_seconds <= MAX_TTL_SECONDS:
        raise InvalidInput("A message waits from 0 seconds to 7 days.", field="ttl_seconds")


def _parsed(text: str) -> object:
    try:
        value: object = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise InvalidInput(f"The JSON is nested deeper than {MAX_DEPTH} levels.", field="text") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"This is not JSON: {error.msg} at {where}.", field="text") from None
    except ValueError as error:
        raise InvalidInput(f"This is not JSON: {error}.", field="text") from None
    if _depth(value) > MAX_DEPTH:
        raise InvalidInput(f"The JSON is nested deeper than {MAX_DEPTH} levels.", field="text")
    return value


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _depth(value: object) -> int:
    """Return how deep a value is nested, without recursion: texts of 10,000 brackets are possible."""
    deepest, waiting = 0, [(value, 0)]
    while waiting:
        each, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(each, dict):
            waiting.extend((inner, depth + 1) for inner in cast("dict[str, object]", each).values())
        elif isinstance(each, list):
            waiting.extend((inner, depth + 1) for inner in cast("list[object]", each))
    return deepest
