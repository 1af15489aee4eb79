"""Actions on many sessions: answered with their result when they are small, and as a job when they are not."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import BaseModel, Field

from ...server.filters import parse_filter
from ...server.operations import Chosen, Job, PastJob, expire_result
from ..deps import CurrentActor, CurrentSwitchroom
from .actions import ExpirationOut
from .requests import CancellationsIn, ExpirationsIn, ManyIn
from .routing import ApiResponse, answer, api_router
from .values import optional_timestamp, timestamp

router = api_router("jobs")


class JobOut(BaseModel):
    """An action on many sessions that goes on by itself."""

    id: str = Field(description="Also the action's id in the audit log.")
    verb: str = Field(description="`expire` or `cancel_calls`.")
    status: str = Field(
        description="`running`, `stopping`, `stopped`, `interrupted` by a restart, `done`, `partly` or `failed`."
    )
    actor: str
    target: str
    reason: str
    total: int
    reached: int
    left: int = Field(description="Not reached, nor taken over by another job: what going on would begin with.")
    done: int
    nothing_to_do: int = Field(description="Sessions that had ended already, or had no call in flight.")
    failed: int
    per_second: float
    started_at: str
    ended_at: str | None
    stopped_by: str | None

    @classmethod
    def of(cls, job: Job | PastJob) -> JobOut:
        return cls(
            id=job.id,
            verb=job.verb,
            status=job.status,
            actor=job.actor,
            target=job.target,
            reason=job.reason,
            total=job.total,
            reached=job.reached,
            left=job.left,
            done=job.counts["done"],
            nothing_to_do=job.counts["nothing"],
            failed=job.counts["failed"],
            per_second=job.per_second,
            started_at=timestamp(job.started_at),
            ended_at=optional_timestamp(job.ended_at),
            stopped_by=job.stopped_by,
        )


class JobsOut(BaseModel):
    """The jobs of this run of the server and what earlier runs left unfinished, newest first."""

    items: list[JobOut]


class SessionResultOut(BaseModel):
    """What an action did to one session."""

    session_id: str
    result: str


class SessionResultsOut(BaseModel):
    """One page of what an action did, by session id."""

    items: list[SessionResultOut]
    next_cursor: str | None
    counts: dict[str, int] = Field(description="Sessions by result, of the whole action.")


JobPath = Annotated[str, Path(min_length=1, max_length=64)]
_AS_JOB: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": JobOut, "description": "It reaches many sessions and goes on by itself: ask for the job."}
}


@router.post("/expirations", response_model=ExpirationOut, responses=_AS_JOB)
async def expire_matching(body: ExpirationsIn, actor: CurrentActor, running: CurrentSwitchroom) -> ApiResponse:
    """End live sessions by filter or id, unless the filter has come to match many more than expected."""
    job = await running.operations.start_expiring(actor, body.reason, per_second=body.per_second, **_chosen(body))
    if job.is_long:
        return answer(JobOut.of(job), 202)
    await job.ended.wait()
    return answer(ExpirationOut.of(expire_result(job)))


@router.post("/cancellations", response_model=JobOut, responses=_AS_JOB)
async def cancel_matching(body: CancellationsIn, actor: CurrentActor, running: CurrentSwitchroom) -> ApiResponse:
    """Cancel every call in flight of sessions by filter or id, on the same terms; the sessions stay."""
    job = await running.operations.start_cancelling(actor, body.reason, per_second=body.per_second, **_chosen(body))
    if job.is_long:
        return answer(JobOut.of(job), 202)
    await job.ended.wait()
    return answer(JobOut.of(job))


@router.get("/jobs", response_model=JobsOut)
async def list_jobs(running: CurrentSwitchroom) -> ApiResponse:
    """List the jobs of this run of the server and what earlier runs left unfinished, newest first."""
    return answer(JobsOut(items=[JobOut.of(job) for job in await running.operations.unfinished.jobs()]))


@router.get("/jobs/{job_id}", response_model=JobOut)
async def show_job(job_id: JobPath, running: CurrentSwitchroom) -> ApiResponse:
    """Return how far a job is."""
    return answer(JobOut.of(await running.operations.unfinished.job(job_id)))


@router.post("/jobs/{job_id}/stop", response_model=JobOut)
async def stop_job(job_id: JobPath, actor: CurrentActor, running: CurrentSwitchroom) -> ApiResponse:
    """Let a job reach no further session; what is done stays done."""
    return answer(JobOut.of(await running.operations.bulk.stop(actor, job_id)))


@router.post("/jobs/{job_id}/continuation", response_model=JobOut, status_code=202)
async def go_on_with_job(job_id: JobPath, actor: CurrentActor, running: CurrentSwitchroom) -> ApiResponse:
    """Begin a new job over the sessions that a stopped or interrupted one did not reach, with its reason and pace."""
    return answer(JobOut.of(await running.operations.unfinished.go_on(actor, job_id)), 202)


@router.get("/audit/{action_id}/results", response_model=SessionResultsOut)
async def list_results(
    action_id: JobPath,
    running: CurrentSwitchroom,
    result: Annotated[str | None, Query(max_length=400)] = None,
    cursor: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ApiResponse:
    """List what an action did to each session, by session id."""
    await running.directory.audit_entry(action_id)
    found = await running.directory.results(action_id, result=result, after=cursor, limit=limit + 1)
    items = [SessionResultOut(session_id=each, result=said) for each, said in found[:limit]]
    counts = await running.directory.result_counts(action_id)
    next_cursor = items[-1].session_id if len(found) > limit else None
    return answer(SessionResultsOut(items=items, next_cursor=next_cursor, counts=counts))


def _chosen(body: ManyIn) -> Chosen:
    """Return whom a body is about, as the verbs take it."""
    return {
        "session_ids": body.session_ids,
        "query": parse_filter(body.filter) if body.filter is not None else None,
        "exclude": body.exclude,
        "expected": body.expected,
    }
