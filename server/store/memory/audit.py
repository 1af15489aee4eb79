"""The audit log in memory, chained with a key that lives as long as the process."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

from ...filters import matches_entry
from ...models import AuditEntry
from ..audit_chain import AuditChain, AuditHead, AuditRow, merge, new_row
from ..base import NOT_REACHED, AuditQuery, AuditRecord
from ..limits import page_size
from ..text import plain_text
from .done import done


class MemoryAuditLog:
    """Rows in a list."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._chain = AuditChain(secrets.token_bytes(32))
        self._rows: list[AuditRow] = []
        self._head: AuditHead | None = None
        self._results: dict[str, dict[str, str]] = {}

    async def record(self, record: AuditRecord) -> int:
        row = new_row(self._clock(), record)
        row, self._head = self._chain.link(row, self._head)
        self._rows.append(row)
        return row.id

    async def query(self, query: AuditQuery) -> list[AuditEntry]:
        firsts = [
            row
            for row in self._firsts().values()
            if (query.before is None or row.id < query.before)
            and (query.actor is None or row.actor == query.actor)
            and (query.action is None or row.action == query.action)
            and (query.target is None or self._names(row, query.target))
        ]
        entries = (merge(row, self._outcome(row.action_id)) for row in reversed(firsts))
        now = self._clock()
        found = (entry for entry in entries if query.matching is None or matches_entry(query.matching, entry, now))
        return list(islice(found, page_size(query.limit)))

    async def get(self, action_id: str) -> AuditEntry | None:
        first = self._firsts().get(action_id)
        return merge(first, self._outcome(action_id)) if first is not None else None

    def add_results(self, action_id: str, results: Sequence[tuple[str, str]]) -> asyncio.Future[None]:
        self._results.setdefault(action_id, {}).update((session, plain_text(result)) for session, result in results)
        return done()

    async def results(
        self, action_id: str, *, result: str | None = None, after: str = "", limit: int = 100
    ) -> list[tuple[str, str]]:
        found = sorted(self._results.get(action_id, {}).items())
        return [each for each in found if each[0] > after and (result is None or each[1] == result)][: page_size(limit)]

    async def result_counts(self, action_id: str) -> dict[str, int]:
        return dict(Counter(self._results.get(action_id, {}).values()).most_common())

    async def unfinished(self, *, limit: int = 50) -> list[str]:
        newest = (each for each in reversed(self._firsts()) if NOT_REACHED in self._results.get(each, {}).values())
        return list(islice(newest, page_size(limit)))

    async def verify(self) -> int | None:
        return self._chain.first_break(self._rows, self._head)

    def _names(self, first: AuditRow, text: str) -> bool:
        """Whether an action's target or outcome names something."""
        outcome = self._outcome(first.action_id)
        if text in self._results.get(first.action_id, {}):
            return True
        return text in first.target or text in first.detail or (outcome is not None and text in outcome.detail)

    def _firsts(self) -> dict[str, AuditRow]:
        firsts: dict[str, AuditRow] = {}
        for row in self._rows:
            firsts.setdefault(row.action_id, row)
        return firsts

    def _outcome(self, action_id: str) -> AuditRow | None:
        rows = (row for row in reversed(self._rows) if row.action_id == action_id and row.phase == "outcome")
        return next(rows, None)
