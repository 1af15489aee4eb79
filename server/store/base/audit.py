"""The audit log, and what each action did to sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from ...filters import Filter
from ...models import Actor, AuditEntry

NOT_REACHED: Final = "not reached"
"""The result of a session that an action on many has not come to yet, or never came to."""


class AuditQuery(NamedTuple):
    """Which actions to read, newest first. Unset fields do not restrict."""

    limit: int = 50
    before: int | None = None
    """Only actions with a smaller `id`."""
    actor: str | None = None
    action: str | None = None
    target: str | None = None
    """Text that is in its target or in its outcome's detail, such as a session id."""
    matching: Filter | None = None
    """A filter of the audit log's own vocabulary, see `filters.audit`."""


class AuditRecord(NamedTuple):
    """One row to append: what is meant by an action, or what came of it."""

    action_id: str
    """What intent and outcome have in common."""
    phase: str
    """`intent` or `outcome`."""
    actor: Actor
    action: str
    target: str
    reason: str = ""
    outcome: str = ""
    detail: str = "{}"
    """A JSON object."""


class AuditLog(Protocol):
    """Append-only, chained with HMAC-SHA256, always committed in full before it is acknowledged."""

    async def record(self, record: AuditRecord) -> int:
        """Append one row and return its id."""
        ...

    async def query(self, query: AuditQuery) -> list[AuditEntry]:
        """Return actions newest first, intent and outcome merged; `id` is the intent's row id."""
        ...

    async def get(self, action_id: str) -> AuditEntry | None: ...

    def add_results(self, action_id: str, results: Sequence[tuple[str, str]]) -> asyncio.Future[None]:
        """Queue what an action did to sessions: `(session id, result)`. Not part of the chain; kept for 30 days.

        A later result of the same action for the same session replaces the earlier one.
        """
        ...

    async def unfinished(self, *, limit: int = 50) -> list[str]:
        """Return the ids of actions that left some session `NOT_REACHED`, the newest first."""
        ...

    async def results(
        self, action_id: str, *, result: str | None = None, after: str = "", limit: int = 100
    ) -> list[tuple[str, str]]:
        """Return `(session id, result)` by session id, from the one after `after` on."""
        ...

    async def result_counts(self, action_id: str) -> dict[str, int]:
        """Return how many sessions had each result, the most frequent first."""
        ...

    async def verify(self) -> int | None:
        """Return the id of the first row that breaks the chain, or `None` when it holds."""
        ...
