"""What is sealed, wherever it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class SealedRow(NamedTuple):
    """A sealed text and where it is kept."""

    table: str
    """`kv` or `event`."""
    session_no: int
    name: str
    """The stored key's name, or the event's `seq`."""
    session_id: str
    sealed: str


class SealedRows(Protocol):
    """Everything that is sealed, for re-sealing it under another key."""

    async def stale(self, newest: str, *, after: SealedRow | None = None, limit: int = 100) -> list[SealedRow]:
        """Return rows not sealed under the key `newest`, values before events, each in order, after one of them."""
        ...

    async def replace(self, rows: Sequence[tuple[SealedRow, str]], key_id: str) -> int:
        """Put new tokens, of key `key_id`, in the place of those read; return how many rows still had them."""
        ...
