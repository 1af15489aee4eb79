"""Stopping a job."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ..deps import CurrentSwitchroom, OperatorActor
from ..templating import urls_of

router = APIRouter()


@router.post("/jobs/{job_id}/stop")
async def stop_job(request: Request, job_id: str, actor: OperatorActor, room: CurrentSwitchroom) -> Response:
    """Let a job reach no further session."""
    job = await room.operations.bulk.stop(actor, job_id)
    return RedirectResponse(urls_of(request).job(job.id), status_code=303)
