"""Jobs: actions on many sessions that go on by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.operations import Job, PastJob
from ..charts.shares import Segment, divide
from ..formatting import age, count, plural
from ..wording import action_label
from .shell import LiveLink
from .verdicts import Verdicts

_STATUS: Final = {
    "running": ("Running", "sending"),
    "stopping": ("Stopping", "sending"),
    "stopped": ("Stopped", "partly"),
    "interrupted": ("Interrupted by a restart", "partly"),
    "done": ("Done", "done"),
    "partly": ("Partly", "partly"),
    "failed": ("Failed", "failed"),
}
"""Label and tone of each `Job.status`."""

_GROUPS: Final = {
    "expire": {"done": "Expired", "nothing": "Had ended already", "failed": "Failed"},
    "cancel_calls": {"done": "With calls cancelled", "nothing": "Without a call", "failed": "Failed"},
}
_OWN: Final = {
    "calls_ended": "Calls ended",
    "streams_closed": "Streams closed",
    "cancelled": "Calls cancelled",
    "answered_by_leg": "Answered, handler goes on",
    "still_running": "Calls still running",
}


@dataclass(frozen=True, slots=True)
class JobTally:
    """One number of a job."""

    name: ClassVar[str] = "tally"
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is; the stream renders it again."""

    template: ClassVar[str] = "jobs/_progress.html"
    name: ClassVar[str] = "progress"
    id: str
    status_label: str
    tone: str
    reached: int
    total: int
    left: str
    pace: str
    can_stop: bool
    note: str
    """What became of the rest of a job that did not reach everybody."""
    rest: int
    """Sessions that a new job can go on with; 0 where there are none, or the operator may not."""
    typed: str
    """What has to be typed for that."""
    segments: tuple[Segment, ...]
    sentence: str
    tallies: tuple[JobTally, ...]


@dataclass(frozen=True, slots=True)
class JobPage:
    """The whole page."""

    template: ClassVar[str] = "jobs/show.html"
    name: ClassVar[str] = "job"
    id: str
    title: str
    at: float
    actor: str
    target: str
    reason: str
    live_link: LiveLink
    progress: Progress
    verdicts: Verdicts


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job of the list."""

    name: ClassVar[str] = "row"
    id: str
    title: str
    at: float
    actor: str
    target: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class JobsPage:
    """The list."""

    template: ClassVar[str] = "jobs/index.html"
    name: ClassVar[str] = "queue"
    rows: tuple[JobRow, ...]


def job_title(job: Job | PastJob) -> str:
    """Return `Expire 3,128 sessions`."""
    verb = action_label(job.verb)
    return (
        f"{verb} {plural(job.total, 'session')}"
        if job.verb == "expire"
        else f"{verb} of {plural(job.total, 'session')}"
    )


def make_progress(job: Job | PastJob, *, can_act: bool) -> Progress:
    """Return how far a job is."""
    label, tone = _STATUS[job.status]
    groups = _GROUPS[job.verb]
    rest = job.total - job.reached
    left = job.left if job.is_over else 0
    parts = {
        "delivered": job.counts["done"],
        "skipped": job.counts["nothing"],
        "failed": job.counts["failed"],
        "pending": rest,
    }
    tallies = [JobTally(words, job.counts[group]) for group, words in groups.items()]
    tallies += [JobTally(words, job.counts[name]) for name, words in _OWN.items() if name in job.counts]
    return Progress(
        id=job.id,
        status_label=label,
        tone=tone,
        reached=job.reached,
        total=job.total,
        left=age(rest / job.per_second) if not job.is_over and rest else "",
        pace=f"{job.per_second:g}",
        can_stop=can_act and job.status == "running",
        note=_note(job, left) if job.is_over and rest else "",
        rest=left if can_act else 0,
        typed=rest_confirmation(job) if can_act and left else "",
        segments=divide(parts),
        sentence=f"{count(job.reached)} of {count(job.total)} sessions reached",
        tallies=tuple(tallies),
    )


def rest_confirmation(job: Job | PastJob) -> str:
    """Return what has to be typed to go on with the rest."""
    return f"{job.verb.partition('_')[0]} {job.left}"


def _note(job: Job | PastJob, left: int) -> str:
    """Return how a job ended before it was done, and what became of the rest."""
    how = {"interrupted": "Interrupted by a restart", "stopped": f"Stopped by {job.stopped_by}"}
    ended = f"{how.get(job.status, 'Ended')} at {count(job.reached)} of {count(job.total)}."
    if left:
        return f"{ended} {plural(left, 'session')} {'was' if left == 1 else 'were'} not reached."
    return f"{ended} Another job went on with the rest."


def make_jobs(jobs: list[Job | PastJob]) -> JobsPage:
    """Return the list of jobs."""
    return JobsPage(
        tuple(
            JobRow(job.id, job_title(job), job.started_at, job.actor, job.target, make_progress(job, can_act=False))
            for job in jobs
        )
    )
