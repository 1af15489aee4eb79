"""Numbers, sizes and times as the console writes them: exact where it is read, short where it is scanned."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

_EXACT_UP_TO: Final = 99_999
_SIZE_UNITS: Final = ("KB", "MB", "GB", "TB")
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400


def count(value: float) -> str:
    """Return an exact number with separators up to 99,999, then `104k` and `2.1M`."""
    number = int(value)
    if abs(number) <= _EXACT_UP_TO:
        return f"{number:,}"
    if abs(number) < 999_500:
        return f"{number / 1_000:.0f}k"
    return f"{number / 1_000_000:.1f}M" if abs(number) < 99_950_000 else f"{number / 1_000_000:.0f}M"


def size(octets: float) -> str:
    """Return bytes with units of 1024: `612 B`, `3.2 KB`, `41 KB`."""
    if octets < 1024:
        return f"{int(octets)} B"
    power = min(len(_SIZE_UNITS), max(1, int(math.log(octets, 1024))))
    value = octets / 1024**power
    if value >= 999.5 and power < len(_SIZE_UNITS):
        power, value = power + 1, value / 1024
    return f"{value:.1f} {_SIZE_UNITS[power - 1]}" if value < 99.95 else f"{value:.0f} {_SIZE_UNITS[power - 1]}"


def duration(seconds: float) -> str:
    """Return how long something took: `0.4 ms`, `18 ms`, `1.9 s`, `12 s`, then as an age."""
    ms = seconds * 1000
    if ms < 1:
        return f"{ms:.1f} ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 99.5 else age(seconds)


def age(seconds: float) -> str:
    """Return an age of at most two units: `0s`, `3s`, `14m`, `2h 14m`, `1d 3h`."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m"
    major, minor, names = (_HOUR, _MINUTE, "hm") if whole < _DAY else (_DAY, _HOUR, "dh")
    rest = whole % major // minor
    return f"{whole // major}{names[0]}" + (f" {rest}{names[1]}" if rest else "")


def rate(per_second: float) -> str:
    """Return a rate with three significant figures: `0`, `0.42`, `14.1`, `1,204`."""
    if per_second <= 0:
        return "0"
    if per_second < 0.005:
        return "<0.01"
    if per_second >= 999.5:
        return count(round(per_second))
    digits = max(0, 2 - math.floor(math.log10(per_second)))
    text = f"{per_second:.{min(digits, 2)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(part: float, whole: float) -> str:
    """Return a percentage: `0%`, `0.5%`, `42%`; a share that would round to zero is `<0.1%`."""
    if whole <= 0 or part <= 0:
        return "0%"
    percent = 100 * part / whole
    if percent < 0.1:
        return "<0.1%"
    return f"{percent:.1f}%" if percent < 9.95 else f"{percent:.0f}%"


def iso(at: float) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds, for `datetime` attributes and copies."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def iso_seconds(at: float) -> str:
    """Return a time as ISO 8601 in UTC to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(at: float, *, with_ms: bool = True) -> str:
    """Return the wall time in UTC, `14:32:06.204`; the page turns it into the operator's own zone."""
    moment = datetime.fromtimestamp(at, UTC)
    text = moment.strftime("%H:%M:%S")
    return f"{text}.{moment.microsecond // 1000:03d}" if with_ms else text


def plural(number: int, one: str, many: str = "") -> str:
    """Return `1 session` or `3,128 sessions`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"
