"""Positions in the console's live streams: `<boot>.<n>`.

`boot` tells one run of the server from the next, in which `n` begins again; `n` is the change bus's
number, or the `seq` of the newest event shown where a page follows one session's log.
"""

from __future__ import annotations

from ..server.directory import Directory


def boot_of(directory: Directory) -> str:
    """Return a name for this run of the server."""
    health = directory.health()
    return f"{int(health.started_at * 1000):x}"


def live_cursor(directory: Directory, n: int | None = None) -> str:
    """Return the position to follow from; by default the change bus's newest."""
    return f"{boot_of(directory)}.{directory.changes.version if n is None else n}"


def parse_cursor(text: str, boot: str) -> int | None:
    """Return the number of a position of this run, or `None` for any other text."""
    head, dot, number = text.partition(".")
    if head != boot or not dot or not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    return int(number)
