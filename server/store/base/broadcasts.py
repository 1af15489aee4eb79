"""Broadcasts and what became of each recipient."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Mapping, Sequence
from typing import Protocol

from ...models import Broadcast, DeliveryStatus, Receipt


class Broadcasts(Protocol):
    """Broadcasts and their receipts."""

    async def create(self, broadcast: Broadcast, recipients: Mapping[str, str]) -> Broadcast:
        """Store it with one pending receipt per recipient; a known idempotency key returns the first one.

        Args:
            recipients: Session ids, each with its client's name, which the receipt keeps.
        """
        ...

    def settle(self, broadcast_id: str, receipts: Sequence[Receipt]) -> asyncio.Future[None]:
        """Queue receipts, replacing those of the same session."""
        ...

    def set_status(self, broadcast_id: str, status: str) -> asyncio.Future[None]: ...

    async def get(self, broadcast_id: str) -> Broadcast | None: ...

    async def list(self, *, limit: int = 50, before: str | None = None, group: str | None = None) -> list[Broadcast]:
        """Return broadcasts newest first; `before` is the id of the last one already shown.

        `group` chooses the messages that members of that group sent with a tool; `""` chooses operators'.
        """
        ...

    async def receipts(
        self, broadcast_id: str, *, status: DeliveryStatus | None = None, limit: int = 1_000, after: str = ""
    ) -> builtins.list[Receipt]:
        """Return receipts by session id."""
        ...

    async def receipts_of(self, broadcast_id: str, session_ids: Sequence[str]) -> builtins.list[Receipt]:
        """Return the receipts of some recipients, by session id; those that have none are left out."""
        ...

    async def last_trial(self, actor: str) -> str | None:
        """Return the session an operator last tried a broadcast on, or `None`."""
        ...

    async def queued(self, now: float) -> builtins.list[tuple[str, Receipt]]:
        """Return `(broadcast id, receipt)` of everything still queued and not expired, for start-up."""
        ...
