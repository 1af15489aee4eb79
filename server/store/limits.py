"""Bounds that every engine keeps to: pages, retention with its slack, and stored keys."""

from __future__ import annotations

from ..errors import Conflict, LimitReached
from ..models import Event
from .base import EventQuery, KeyLimits

MAX_PAGE = 1_000
"""Rows of any one page."""
EVENT_OVERHEAD_BYTES = 128
"""Counted for every event beside its payload, so that empty events are bounded as well."""


def page_size(limit: int) -> int:
    """Return the rows to read for a requested limit."""
    return max(1, min(limit, MAX_PAGE))


def kept_bytes(event: Event) -> int:
    """Return what an event counts against the bytes of its log."""
    size = EVENT_OVERHEAD_BYTES + (len(event.payload) if event.payload else 0)
    return size if event.sealed is None else size + len(event.sealed)


def count_threshold(cap: int) -> int:
    """Return the number of events above which a log is cut back to `cap`.

    The slack is what makes retention O(1) for each event: one range delete for a quarter of the log.
    """
    return cap + max(64, cap // 4)


def bytes_threshold(cap: int) -> int:
    """Return the bytes above which a log is cut back to `cap`."""
    return cap + max(64 * EVENT_OVERHEAD_BYTES, cap // 4)


def dropped_before(query: EventQuery, trimmed_seq: int, has_more: bool) -> int:
    """Return how many events retention has dropped between a page's oldest event and the end of its range."""
    if query.newest_first and has_more:
        return 0
    last = trimmed_seq if query.before is None else min(trimmed_seq, query.before - 1)
    return max(0, last - query.after)


def check_version(name: str, present: int, if_version: int | None) -> None:
    """Refuse a write that expects another version; `present` is 0 when the key is absent.

    Raises:
        Conflict: They differ.
    """
    if if_version is not None and if_version != present:
        raise Conflict(
            f'Stored key "{name}" is at version {present}, not {if_version}: read it again.', version=present
        )


def check_key_limits(limits: KeyLimits, *, other_keys: int, other_bytes: int, size_bytes: int) -> None:
    """Refuse a value that would take its session over a limit; the present value does not count.

    Raises:
        LimitReached: Too many keys, a value too large, or too many bytes in all.
    """
    if size_bytes > limits.max_value_bytes:
        raise LimitReached(f"A stored value has at most {limits.max_value_bytes:,} bytes; this one has {size_bytes:,}.")
    if other_keys + 1 > limits.max_keys:
        raise LimitReached(f"A session stores at most {limits.max_keys:,} keys: delete one first.")
    if other_bytes + size_bytes > limits.max_total_bytes:
        raise LimitReached(f"A session stores at most {limits.max_total_bytes:,} bytes in all: delete something first.")
