"""The health page."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.attach import Switchroom
from ...server.directory import RANGES, Verdict
from ...server.errors import NotFound
from ...server.models import Actor
from ..contexts.charts import make_health_charts
from ..contexts.health import DiagnosisNote, HealthPage, make_refused
from ..contexts.shell import Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom
from ..health_data import health_now, kept
from ..rendering import render_page
from ..templating import urls_of

router = APIRouter()


@router.get("/health")
async def show_health(request: Request, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show how the process and its store are, which limits hold, and which session ids were refused."""
    return await _render(request, actor, room, None)


@router.get("/health/diagnosis")
async def return_to_health(request: Request, actor: CurrentActor) -> Response:
    """Lead back: an answer belongs to the id that was sent, and ids stay out of addresses."""
    return RedirectResponse(urls_of(request).health(), status_code=303)


@router.post("/health/diagnosis")
async def explain_session_id(
    request: Request,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    mcp_session_id: Annotated[str, Form(min_length=1, max_length=256)],
) -> Response:
    """Show what became of a session id. It changes nothing; the id is a secret, so it comes in a body."""
    secret = mcp_session_id.strip()
    found = await room.directory.diagnose(secret)
    session = None
    if found.session_id is not None:
        with contextlib.suppress(NotFound):
            session = await room.directory.session(found.session_id)
    note = DiagnosisNote(
        prefix=secret[:8],
        sentence=found.sentence,
        tone="" if found.verdict is Verdict.LIVE else "bad",
        session_url=urls_of(request).session(session.id) if session is not None else "",
    )
    return await _render(request, actor, room, note)


async def _render(request: Request, actor: Actor, room: Switchroom, diagnosis: DiagnosisNote | None) -> Response:
    urls, directory = urls_of(request), room.directory
    page = HealthPage(
        live_link=LiveLink(urls.live("health", after=live_cursor(directory))),
        now=health_now(room, urls),
        charts=make_health_charts(directory.trends(RANGES[-1]), urls),
        kept=kept(room),
        started_at=directory.health().started_at,
        refusals=make_refused(directory.refusals(), urls),
        diagnosis=diagnosis,
    )
    return await render_page(request, room, actor, Frame("health", "Health"), page)
