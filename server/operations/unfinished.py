"""Jobs that an earlier run of the server did not finish: told from the audit log, and gone on with by a new job."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from ..engine.engine import Engine
from ..engine.session import forget_outcome
from ..errors import Conflict, NotFound
from ..models import Actor, AuditEntry
from ..store.base import NOT_REACHED
from .bulk import BulkRunner, Job, group_of
from .sessions import SessionVerbs

_VERBS: Final = ("expire", "cancel_calls")
_LISTED: Final = 50
_PAGE: Final = 1_000
_HANDED_ON: Final = "left to job "
"""What became of a session that a later job took over, with that job's reference."""


class PastJob:
    """A job that is not in memory any more; its numbers are counted from what was written of each session."""

    def __init__(self, entry: AuditEntry, results: dict[str, int]) -> None:
        detail: dict[str, Any] = json.loads(entry.detail or "{}")
        self.id = entry.action_id
        self.verb = entry.action
        self.actor = entry.actor
        self.target = entry.target
        self.reason = entry.reason
        self.per_second = float(detail.get("per_second", 0))
        """0 where it was not written."""
        self.started_at = entry.at
        self.ended_at: float | None = None
        """The moment is not known."""
        self.is_over = True
        self.stopped_by: str | None = detail.get("stopped_by")
        self.total = sum(results.values())
        self.left = results.get(NOT_REACHED, 0)
        """Sessions that nobody has taken over either."""
        self.handed_on = sum(number for said, number in results.items() if said.startswith(_HANDED_ON))
        self.counts = Counter[str]()
        for said, number in results.items():
            if said != NOT_REACHED and not said.startswith(_HANDED_ON):
                self.counts[group_of(self.verb, said)] += number

    @property
    def reached(self) -> int:
        """How many sessions the verb was applied to."""
        return self.total - self.left - self.handed_on

    @property
    def status(self) -> str:
        """`stopped`, or `interrupted` by the end of the server."""
        return "stopped" if self.stopped_by else "interrupted"


class UnfinishedJobs:
    """Finds what was not finished, and goes on with it."""

    def __init__(self, engine: Engine, bulk: BulkRunner, sessions: SessionVerbs) -> None:
        self._engine = engine
        self._bulk = bulk
        self._sessions = sessions

    async def job(self, job_id: str) -> Job | PastJob:
        """Return a job, of this run of the server or an unfinished one of an earlier run.

        Raises:
            NotFound: It is neither; what was finished is told by the audit log.
        """
        try:
            return self._bulk.job(job_id)
        except NotFound:
            past = await self._past(job_id)
            if past is None:
                raise
            return past

    async def has(self, action_id: str) -> bool:
        """Whether an action is a job that `job` returns."""
        try:
            await self.job(action_id)
        except NotFound:
            return False
        return True

    async def jobs(self) -> list[Job | PastJob]:
        """Return the jobs of this run, and those of earlier runs of which something is left; the newest first."""
        here: list[Job | PastJob] = list(self._bulk.jobs())
        known = {job.id for job in here}
        others = [each for each in await self._engine.store.audit.unfinished(limit=_LISTED) if each not in known]
        past = [job for each in others if (job := await self._past(each)) is not None]
        return sorted([*here, *past], key=lambda job: job.started_at, reverse=True)

    async def go_on(self, actor: Actor, job_id: str) -> Job:
        """Begin a new job over the sessions that a stopped or interrupted one did not reach, with its reason and pace.

        Raises:
            Forbidden: The actor may not act.
            NotFound: As for `job`.
            Conflict: It is still under way, or nothing of it is left.
        """
        before = await self.job(job_id)
        if isinstance(before, Job) and not before.ended.is_set():
            raise Conflict("This job is still under way; stop it first, or let it go on.")
        left = await self._left(job_id)
        if not left:
            raise Conflict("Nothing is left of this job: every session was reached, or another job took it over.")
        start = self._sessions.start_expiring if before.verb == "expire" else self._sessions.start_cancelling
        pace = before.per_second or None
        job = await start(actor, before.reason, session_ids=left, per_second=pace, continues=job_id)
        handed_on = [(each, f"{_HANDED_ON}{job.id}") for each in left]
        self._engine.store.audit.add_results(job_id, handed_on).add_done_callback(forget_outcome)
        if isinstance(before, Job):
            before.handed_on_to = job.id
        return job

    async def _past(self, job_id: str) -> PastJob | None:
        entry = await self._engine.store.audit.get(job_id)
        if entry is None or entry.action not in _VERBS:
            return None
        results = await self._engine.store.audit.result_counts(job_id)
        is_unfinished = any(said == NOT_REACHED or said.startswith(_HANDED_ON) for said in results)
        return PastJob(entry, results) if is_unfinished else None

    async def _left(self, job_id: str) -> list[str]:
        left: list[str] = []
        while True:
            after = left[-1] if left else ""
            page = await self._engine.store.audit.results(job_id, result=NOT_REACHED, after=after, limit=_PAGE)
            left += [session_id for session_id, _ in page]
            if len(page) < _PAGE:
                return left
