"""One verb over many sessions: paced, so that clients that come back do not stampede; stoppable; each one recorded."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from ..engine.engine import Engine
from ..engine.session import forget_outcome
from ..errors import InvalidInput, NotFound
from ..models import Actor
from ..store.base import NOT_REACHED
from .actions import Action, Actions

AT_ONCE: Final = 50
"""Sessions reached together; between two lots other work gets its turn."""
JOB_ABOVE: Final = 500
"""Sessions of an action from which on nobody waits for its end: it has a page of its own."""
_PATIENCE_SECONDS: Final = 3.0
"""A smaller action that its pace makes last longer is such a job too."""
_JOBS_KEPT: Final = 100
_RESULTS_KEPT: Final = 20
"""Jobs whose results stay in memory; those of the others are read from the store."""
MAX_PER_SECOND: Final = 100_000
_LISTED: Final = 1_000
"""Results in the action's own row of the audit log; all of them are kept beside it."""


class Outcome(NamedTuple):
    """What the verb did to one session."""

    group: str
    """What it counts as: `done`, `nothing` (there was nothing to do) or `failed`."""
    result: str
    """In words, as it is listed."""


class Job:
    """An action on many sessions, under way or over."""

    def __init__(self, action: Action, verb: str, actor: Actor, target: str, reason: str, per_second: float) -> None:
        self.id = action.id
        """The action's id in the audit log."""
        self.verb = verb
        self.actor = actor.name
        self.target = target
        self.reason = reason
        self.per_second = per_second
        self.total = 0
        self.counts: Counter[str] = Counter()
        """Sessions by `Outcome.group`, and by what the verb counts itself."""
        self.started_at = time.time()
        self.ended_at: float | None = None
        self.stopped_by: str | None = None
        self.results: list[tuple[str, Outcome]] = []
        """Of every session reached; emptied some jobs later, when only the store has them."""
        self.ended = asyncio.Event()
        self.stopping = asyncio.Event()
        self.handed_on_to = ""
        """The job that went on with the rest."""
        self.is_interrupted = False

    @property
    def reached(self) -> int:
        """How many sessions the verb has been applied to."""
        return self.counts["done"] + self.counts["nothing"] + self.counts["failed"]

    @property
    def status(self) -> str:
        """`running`, `stopping`, `stopped`, `interrupted`, `done`, `partly` or `failed`."""
        if self.ended_at is None:
            return "stopping" if self.stopped_by else "running"
        if self.reached < self.total:
            return "stopped" if self.stopped_by else "interrupted" if self.is_interrupted else "failed"
        if self.counts["failed"]:
            return "partly" if self.counts["done"] else "failed"
        return "done"

    @property
    def is_over(self) -> bool:
        """Whether it reaches no further session."""
        return self.ended_at is not None

    @property
    def left(self) -> int:
        """Sessions that were not reached, nor taken over by another job."""
        return 0 if self.handed_on_to else self.total - self.reached

    @property
    def is_long(self) -> bool:
        """Whether it gets a page of its own instead of somebody who waits."""
        return self.total > JOB_ABOVE or self.total / self.per_second > _PATIENCE_SECONDS


class Plan(NamedTuple):
    """What is to be done to whom, decided inside the recorded action."""

    chosen: Sequence[str]
    each: Callable[[str], Awaitable[Outcome]]


class BulkRunner:
    """Starts and keeps jobs. For the event loop's thread only."""

    def __init__(self, engine: Engine, actions: Actions) -> None:
        self._engine = engine
        self._actions = actions
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def jobs(self) -> list[Job]:
        """Return the jobs of this run of the server, the newest first."""
        return [job for job in reversed(self._jobs.values()) if job.is_long]

    def job(self, job_id: str) -> Job:
        """Return one job.

        Raises:
            NotFound: It was never started, or by an earlier run of the server: the audit log knows.
        """
        found = self._jobs.get(job_id)
        if found is None:
            raise NotFound(f"No job {job_id} is known to this run of the server; see the audit log.")
        return found

    async def stop(self, actor: Actor, job_id: str) -> Job:
        """Let a job reach no further session; what is done stays done.

        Raises:
            Forbidden: The actor may not act.
            NotFound: As for `job`.
        """
        async with self._actions.run(actor, "stop_job", job_id) as action:
            job = self.job(job_id)
            if job.ended_at is not None:
                action.outcome = "refused"
            elif job.stopped_by is None:
                job.stopped_by = actor.name
                job.stopping.set()
            return job

    async def start(
        self,
        actor: Actor,
        verb: str,
        target: str,
        reason: str,
        plan: Callable[[Job], Plan],
        *,
        per_second: float | None = None,
    ) -> Job:
        """Record the action, decide whom it reaches, and begin; the job goes on by itself.

        Raises:
            SwitchroomError: What `plan` raises, and what forbids the action; nothing was done then.
        """
        pace = self._engine.settings.bulk_per_second if per_second is None else per_second
        begun: asyncio.Future[Job] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            try:
                async with self._actions.run(actor, verb, target, reason, detail={"per_second": pace}) as action:
                    job = Job(action, verb, actor, target, reason, _check_pace(pace))
                    chosen, each = plan(job)
                    job.total = len(chosen)
                    self._keep(job)
                    if job.is_long:
                        self._note(job, [(each, NOT_REACHED) for each in chosen])
                    begun.set_result(job)
                    await self._carry_out(job, action, chosen, each)
            except asyncio.CancelledError:
                begun.cancel()
                raise
            except Exception as error:
                if begun.done():
                    raise
                begun.set_exception(error)
            finally:
                if begun.done() and not begun.cancelled() and begun.exception() is None:
                    begun.result().ended.set()

        self._engine.spawn(work())
        return await asyncio.shield(begun)

    async def _carry_out(
        self, job: Job, action: Action, chosen: Sequence[str], each: Callable[[str], Awaitable[Outcome]]
    ) -> None:
        size = max(1, min(AT_ONCE, int(job.per_second / 4)))
        started = time.monotonic()
        try:
            for start in range(0, len(chosen), size):
                await self._wait_turn(job, started + start / job.per_second)
                if job.stopping.is_set():
                    break
                await self._reach(job, chosen[start : start + size], each)
                action.detail = _detail(job)
        except asyncio.CancelledError:
            job.is_interrupted = True
            raise
        finally:
            job.ended_at = time.time()
            action.outcome = {"stopped": "partly", "interrupted": "partly"}.get(job.status, job.status)
            action.detail = _detail(job)
            self._engine.bus.publish(job.id)

    async def _wait_turn(self, job: Job, at: float) -> None:
        seconds = at - time.monotonic()
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(seconds):
                await job.stopping.wait()
        except TimeoutError:
            return

    async def _reach(self, job: Job, lot: Sequence[str], each: Callable[[str], Awaitable[Outcome]]) -> None:
        outcomes = await asyncio.gather(*(each(session_id) for session_id in lot))
        reached = list(zip(lot, outcomes, strict=True))
        job.results += reached
        job.counts.update(outcome.group for outcome in outcomes)
        self._note(job, [(session_id, outcome.result) for session_id, outcome in reached])
        self._engine.bus.publish(job.id)

    def _note(self, job: Job, results: Sequence[tuple[str, str]]) -> None:
        self._engine.store.audit.add_results(job.id, results).add_done_callback(forget_outcome)

    def _keep(self, job: Job) -> None:
        self._jobs[job.id] = job
        while len(self._jobs) > _JOBS_KEPT and next(iter(self._jobs.values())).ended_at is not None:
            self._jobs.popitem(last=False)
        for old in list(self._jobs.values())[:-_RESULTS_KEPT]:
            if old.ended_at is not None:
                old.results = []


def group_of(verb: str, result: str) -> str:
    """Return what a result of a session counts as (see `Outcome.group`), as it was written."""
    if result in ("already ended", "has ended", "no call in flight"):
        return "nothing"
    if verb == "expire":
        return "done" if result == "expired" else "failed"
    return "done" if " cancelled" in result or " answered by leg" in result else "nothing"


def _check_pace(per_second: float) -> float:
    if not 1 <= per_second <= MAX_PER_SECOND:
        raise InvalidInput(f"The pace may be 1 to {MAX_PER_SECOND:,} sessions per second.", field="per_second")
    return per_second


def _detail(job: Job) -> dict[str, object]:
    own = {name: number for name, number in job.counts.items() if name not in ("done", "nothing", "failed")}
    stopped = {"stopped_by": job.stopped_by} if job.stopped_by else {}
    return {
        **_counted(job),
        **own,
        **stopped,
        "per_second": job.per_second,
        "total": job.total,
        "reached": job.reached,
        "sessions": {session_id: outcome.result for session_id, outcome in job.results[:_LISTED]},
    }


_WORDS: Final = {"expire": ("expired", "already_ended"), "cancel_calls": ("with_calls", "without_calls")}
"""What `done` and `nothing` are called in the audit log, by verb."""


def _counted(job: Job) -> dict[str, object]:
    done, nothing = _WORDS[job.verb]
    return {done: job.counts["done"], nothing: job.counts["nothing"], "failed": job.counts["failed"]}
