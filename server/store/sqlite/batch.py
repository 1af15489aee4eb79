"""One transaction's worth of queued items, applied in order. For whoever holds the committer's lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from ...errors import StoreUnavailable, SwitchroomError
from .faults import is_passing
from .items import Item, Job, Save, SessionRow
from .logs import EventRow, LogEnds
from .records import save_statement
from .statements import read_statements

Results = dict[int, Any]
"""By position in the batch: what a job returned, or the exception an item ended with."""

LIGHT_TRIM_EVENTS = 512
"""A log of at most so many events is cut back in a millisecond."""


class Batch:
    """Applies items to a connection that is inside a transaction."""

    def __init__(self, connection: sqlite3.Connection, ends: LogEnds) -> None:
        self._connection = connection
        self._ends = ends
        self._append = read_statements("log")["append"]
        self._save = save_statement()

    def apply(self, items: Sequence[Item]) -> Results:
        """Apply the items and cut back the logs that outgrow their bounds; return what jobs returned."""
        results = self._add(items)
        self._ends.trim(self._connection)
        return results

    def apply_lightly(self, items: Sequence[Item]) -> Results:
        """Apply the items, and leave the logs that take long to cut back to a later batch."""
        results = self._add(items)
        self._ends.trim(self._connection, LIGHT_TRIM_EVENTS)
        return results

    def _add(self, items: Sequence[Item]) -> Results:
        """Apply the items with as few statements as possible and return what jobs returned."""
        results: Results = {}
        events: list[EventRow] = []
        sessions: dict[int, SessionRow] = {}
        for position, item in enumerate(items):
            if isinstance(item, tuple):
                _, session_no, event, _ = item
                events.append(self._ends.row(self._connection, session_no, event))
            elif isinstance(item, Save):
                sessions.update(item.rows)
            else:
                self._flush(events, sessions)
                results[position] = self._run(item)
        self._flush(events, sessions)
        return results

    def apply_one_by_one(self, items: Sequence[Item]) -> Results:
        """Apply what can be applied; an item that the database can never take is refused alone.

        Without this one impossible row would hold up every row after it for ever.
        """
        results: Results = {}
        for position, item in enumerate(items):
            self._connection.execute("SAVEPOINT item")
            try:
                results.update((position, result) for result in self.apply([item]).values())
            except Exception as error:
                if is_passing(error):
                    raise
                self._connection.execute("ROLLBACK TO item")
                self._ends.rolled_back()
                results[position] = StoreUnavailable(f"The store cannot keep this: {error}.")
            self._connection.execute("RELEASE item")
        return results

    def _flush(self, events: list[EventRow], sessions: dict[int, SessionRow]) -> None:
        if sessions:
            self._connection.executemany(self._save, list(sessions.values()))
            sessions.clear()
        if events:
            self._connection.executemany(self._append, events)
            events.clear()

    def _run(self, job: Job[Any]) -> Any:
        if job.is_abandoned:
            return None
        try:
            return job.work(self._connection)
        except SwitchroomError as error:
            return error
