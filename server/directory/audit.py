"""What operators did, and to which sessions."""

from __future__ import annotations

from ..errors import NotFound
from ..filters import Filter
from ..models import AuditEntry
from ..store.base import AuditQuery
from .reads import Reads


class AuditReads(Reads):
    """Operators' actions and their results."""

    async def audit(
        self,
        *,
        limit: int = 50,
        before: int | None = None,
        actor: str | None = None,
        action: str | None = None,
        target: str | None = None,
        matching: Filter | None = None,
    ) -> list[AuditEntry]:
        """Return operators' actions, newest first."""
        query = AuditQuery(limit, before, actor, action, target, matching)
        return await self._engine.store.audit.query(query)

    async def audit_entry(self, action_id: str) -> AuditEntry:
        """Return one action.

        Raises:
            NotFound: There is no such action.
        """
        entry = await self._engine.store.audit.get(action_id)
        if entry is None:
            raise NotFound(f"No action {action_id} is recorded.")
        return entry

    async def results(
        self, action_id: str, *, result: str | None = None, after: str = "", limit: int = 100
    ) -> list[tuple[str, str]]:
        """Return what an action did to sessions, `(session id, result)` by session id, after the one named."""
        return await self._engine.store.audit.results(action_id, result=result, after=after, limit=limit)

    async def result_counts(self, action_id: str) -> dict[str, int]:
        """Return how many sessions an action had each result for."""
        return await self._engine.store.audit.result_counts(action_id)
