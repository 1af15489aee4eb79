"""The counts beside the navigation: what there is now, on every page and in its live stream."""

from __future__ import annotations

from collections.abc import Mapping

from ..server.directory import Directory
from ..server.errors import StoreUnavailable
from .formatting import count, rate

_BROADCASTS_READ = 20
"""The newest ones; a broadcast waits for its recipients minutes, not days."""


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


async def broadcast_count(directory: Directory) -> str:
    """Return how many broadcasts still wait for somebody, in words; empty when none does, or the store cannot tell."""
    try:
        broadcasts = await directory.broadcasts(limit=_BROADCASTS_READ)
    except StoreUnavailable:
        return ""  # the page itself may need nothing of the store, and says what is wrong with it
    going_on = sum(1 for each in broadcasts if each.counts.get("pending", 0) or each.counts.get("queued", 0))
    return count(going_on) if going_on else ""
