"""The registry of sessions, live and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from ...filters import Filter
from ...models import EndedId, SessionRecord


class Registry(Protocol):
    """The sessions themselves."""

    @property
    def ended_version(self) -> int:
        """Grows whenever the kept ended sessions changed, so that what was counted of them can be kept."""
        ...

    def allocate(self) -> int:
        """Return the next session number."""
        ...

    def save(self, record: SessionRecord) -> asyncio.Future[None]:
        """Queue the record's present values (copied at the call), in order with its events."""
        ...

    def save_many(self, records: Sequence[SessionRecord]) -> asyncio.Future[None]:
        """Queue many records as one write; used for counters every second."""
        ...

    async def load_live(self) -> list[SessionRecord]:
        """Return every session that has not ended, for start-up."""
        ...

    async def find(self, *, sid_hash: bytes | None = None, session_id: str | None = None) -> SessionRecord | None:
        """Return the newest record with that secret's hash or that public reference."""
        ...

    async def ended_id(self, sid_hash: bytes) -> EndedId | None:
        """Return what is remembered of an ended session that `sweep` has dropped. Never a refused handshake."""
        ...

    async def ended(
        self,
        query: Filter,
        *,
        now: float,
        sort: str = "-last_seen",
        limit: int = 50,
        after: tuple[float | int | str, str] | None = None,
    ) -> list[SessionRecord]:
        """Return ended sessions (never kind `client`) that match, sorted, after the key `(value, id)`.

        `sort` is one of `last_seen`, `created`, `requests`, `errors`, `client`, `keys`, with `-` for
        descending; ties are ordered by `id` in the same direction.
        """
        ...

    async def count_ended(self, query: Filter, *, now: float) -> dict[str, int]:
        """Return how many ended sessions match, by state."""
        ...

    async def ended_numbers(self, query: Filter, *, now: float, limit: int) -> list[int]:
        """Return the numbers of ended sessions (never kind `client`) that match, the newest first."""
        ...

    async def sweep(self, now: float) -> int:
        """Apply retention: drop old events, ended sessions, their keys, old ended ids. Return rows removed."""
        ...
