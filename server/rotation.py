"""Re-sealing every secret under the newest key of the ring, so that older keys can be taken out of it."""

from __future__ import annotations

from typing import NamedTuple

from .errors import CannotOpen
from .sealing import KeyRing, event_about, value_about
from .store.base import SealedRow, Store

_AT_ONCE = 100


class Rotation(NamedTuple):
    """What a rotation did. It may be started again at any time, and goes on where it was stopped."""

    key_id: str
    """The key that everything counted below is sealed with now."""
    values: int
    """Stored keys that were sealed again."""
    events: int
    """Events of the log that were sealed again."""
    changed: int
    """Secrets that were changed or removed meanwhile; what is new is under the newest key already."""
    unopened: int
    """Secrets that no key of the ring opens; they were left as they are."""


async def rotate(store: Store, ring: KeyRing) -> Rotation:
    """Seal everything again that is not under the newest key, a hundred at a time, each lot committed by itself."""
    done = Rotation(ring.newest, 0, 0, 0, 0)
    after: SealedRow | None = None
    while rows := await store.sealed.stale(ring.newest, after=after, limit=_AT_ONCE):
        after = rows[-1]
        again = [(row, token) for row in rows if (token := _sealed_again(ring, row)) is not None]
        replaced = await store.sealed.replace(again, ring.newest) if again else 0
        done = done._replace(
            values=done.values + (replaced if after.table == "kv" else 0),
            events=done.events + (replaced if after.table == "event" else 0),
            changed=done.changed + len(again) - replaced,
            unopened=done.unopened + len(rows) - len(again),
        )
    return done


def _sealed_again(ring: KeyRing, row: SealedRow) -> str | None:
    is_value = row.table == "kv"
    about = value_about(row.session_id, row.name) if is_value else event_about(row.session_id, int(row.name))
    try:
        return ring.seal(ring.open(row.sealed, *about), *about)
    except CannotOpen:
        return None
