"""Something a session holds open."""

from __future__ import annotations

from typing import NamedTuple


class HeldResource(NamedTuple):
    """One thing that is closed when its session ends."""

    id: int
    """Counts within the process; an operator names the resource by it."""
    name: str
    kind: str
    """The type's name, as Python has it; `callback` where only a callback was given."""
    opened_at: float
    is_owned: bool
    """`False`: somebody else owns it, and it leaves the list when they let go of it."""
