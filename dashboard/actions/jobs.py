"""Stopping a job, and going on with what one did not reach."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.errors import InvalidInput
from ..contexts.jobs import rest_confirmation
from ..deps import CurrentSwitchroom, OperatorActor
from ..templating import urls_of

router = APIRouter()


@router.post("/jobs/{job_id}/stop")
async def stop_job(request: Request, job_id: str, actor: OperatorActor, room: CurrentSwitchroom) -> Response:
    """Let a job reach no further session."""
    job = await room.operations.bulk.stop(actor, job_id)
    return RedirectResponse(urls_of(request).job(job.id), status_code=303)


@router.post("/jobs/{job_id}/continuation")
async def go_on_with_job(
    request: Request,
    job_id: str,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    confirm: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Begin a new job over the sessions that this one did not reach; their number is typed to confirm."""
    wanted = rest_confirmation(await room.operations.unfinished.job(job_id))
    if confirm.strip() != wanted:
        raise InvalidInput(f"Type exactly: {wanted}", field="confirm")
    job = await room.operations.unfinished.go_on(actor, job_id)
    return RedirectResponse(urls_of(request).job(job.id), status_code=303)
