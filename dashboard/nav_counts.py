"""The counts beside the navigation: what there is now, on every page and in its live stream."""

from __future__ import annotations

from collections.abc import Mapping

from ..server.directory import Directory
from ..server.errors import StoreUnavailable
from .formatting import count, rate


async def nav_counts(directory: Directory) -> Mapping[str, str]:
    """Return all counts in words, by the icon of their entry; an entry without one shows none."""
    return {**quick_counts(directory), "broadcast": await broadcast_count(directory)}


def quick_counts(directory: Directory) -> Mapping[str, str]:
    """Return those that are known without asking the store."""
    health = directory.health()
    return {
        "sessions": count(health.live_sessions),
        "clients": count(health.clients),
        "calls": count(health.in_flight),
        "events": f"{rate(health.requests_per_second)}/s" if health.requests_per_second else "",
    }


async def broadcast_count(directory: Directory, *, is_shared: bool = False) -> str:
    """Return how many broadcasts still wait for somebody, in words; empty when none does, or the store cannot tell.

    Args:
        is_shared: What was counted a moment ago for another page will do.
    """
    try:
        waiting = await directory.waiting_broadcasts(is_shared=is_shared)
    except StoreUnavailable:
        return ""  # the page itself may need nothing of the store, and says what is wrong with it
    return count(waiting) if waiting else ""
