"""Jobs: actions on many sessions, how far they are, and what they did to each."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from ...server.errors import NotFound
from ...server.models import Role
from ..contexts import jobs as view
from ..contexts.shell import Crumb, Frame, LiveLink
from ..contexts.verdicts import RESULTS_SHOWN, make_verdicts
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom
from ..rendering import render_page
from ..templating import urls_of

router = APIRouter()


@router.get("/jobs")
async def list_jobs(request: Request, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show the jobs of this run of the server and what earlier runs left, newest first."""
    page = view.make_jobs(await room.operations.unfinished.jobs())
    return await render_page(request, room, actor, Frame("audit", "Jobs", is_live=False), page)


@router.get("/jobs/{job_id}")
async def show_job(
    request: Request,
    job_id: str,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    result: Annotated[str, Query(max_length=400)] = "",
    after: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show one job; what an earlier run of the server finished is told by its entry in the audit log."""
    urls, directory = urls_of(request), room.directory
    try:
        job = await room.operations.unfinished.job(job_id)
    except NotFound:
        await directory.audit_entry(job_id)
        return RedirectResponse(urls.action(job_id), status_code=303)
    position = live_cursor(directory)
    found = await directory.results(job_id, result=result or None, after=after, limit=RESULTS_SHOWN + 1)
    counts = await directory.result_counts(job_id)
    title = view.job_title(job)
    page = view.JobPage(
        id=job.id,
        title=title,
        at=job.started_at,
        actor=job.actor,
        target=job.target,
        reason=job.reason,
        live_link=LiveLink("" if job.is_over else urls.live("job", id=job.id, after=position)),
        progress=view.make_progress(job, can_act=actor.role.includes(Role.OPERATOR)),
        verdicts=make_verdicts(
            counts, found, urls, partial(urls.job, job_id), result=result, empty="No session has been reached yet."
        ),
    )
    crumbs = [Crumb("Audit log", urls.audit()), Crumb("Jobs", urls.jobs()), Crumb(job.id, is_code=True)]
    return await render_page(request, room, actor, Frame("audit", title, crumbs, is_live=not job.is_over), page)
