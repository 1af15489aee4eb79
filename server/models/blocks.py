"""Blocks: whom the server refuses, why, and until when."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class BlockKind(StrEnum):
    """What a block goes by."""

    PRINCIPAL = "principal"
    """Who the access token speaks for, as the console shows it."""
    ADDRESS = "address"
    """A network address, or a network in CIDR form."""
    CLIENT = "client"
    """The name a client gives itself: its own words."""


class Block(NamedTuple):
    """One rule that refuses requests before they are served."""

    id: str
    kind: BlockKind
    value: str
    """As it is compared: a principal exactly, an address in its canonical form, a client's name without case."""
    reason: str
    """Told to whoever is refused."""
    created_at: float
    created_by: str
    expires_at: float | None
    """`None`: until somebody lifts it."""
