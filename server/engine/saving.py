"""Saving what changed about sessions, some of them at a time."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import StoreUnavailable
from ..store.base import Store
from .session import LiveSession

_SAVED_AT_ONCE = 200
"""A larger lot would block the loop and make appends wait: a row costs 5 µs here and 20 µs in the writer."""


async def save_changed(store: Store, sessions: Iterable[LiveSession]) -> None:
    """Save the counters of every session that changed since the last time.

    Raises:
        StoreUnavailable: The store did not take them; they are saved the next time.
    """
    dirty = [session for session in sessions if session.is_dirty]
    for start in range(0, len(dirty), _SAVED_AT_ONCE):
        lot = dirty[start : start + _SAVED_AT_ONCE]
        for session in lot:
            session.is_dirty = False
        try:
            await store.sessions.save_many([session.record for session in lot])
        except StoreUnavailable:
            for session in lot:
                session.is_dirty = True
            raise
