"""How long something may last, as people write and read it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .values import parse_duration

NO_LIMIT: Final = 0.0
"""In a record: this session has no such limit. `None` means that it has none of its own."""

MAX_SECONDS: Final = 366 * 24 * 3600.0
_UNITS: Final[Mapping[str, int]] = MappingProxyType({"d": 86_400, "h": 3_600, "m": 60, "s": 1})


def read_limit(text: str) -> float | None:
    """Return the seconds of `90s`, `1h30m` or `none` (no limit); `None` when it is nothing like that."""
    lowered = text.strip().casefold()
    if lowered == "none":
        return NO_LIMIT
    seconds = parse_duration(lowered)
    return seconds if seconds is not None and 0 < seconds <= MAX_SECONDS else None


def spell(seconds: float | None) -> str:
    """Return a limit as it can be typed: `1h30m`, `45s`, `none`."""
    if not seconds:
        return "none"
    rest = round(seconds)
    if rest == 0:
        return f"{seconds:g}s"
    parts: list[str] = []
    for unit, size in _UNITS.items():
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts)
