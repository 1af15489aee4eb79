"""The health page."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.attach import Switchroom
from ...server.directory import Health, Verdict
from ...server.errors import NotFound
from ...server.models import Actor
from ...server.settings import Settings
from ..contexts.health import DiagnosisNote, HealthPage, make_refused
from ..contexts.shell import Frame
from ..deps import CurrentActor, CurrentSwitchroom
from ..formatting import age, count, duration, rate, size
from ..rendering import render_page
from ..templating import urls_of

router = APIRouter()


@router.get("/health")
async def show_health(request: Request, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show how the process and its store are, which limits hold, and which session ids were refused."""
    return await _render(request, actor, room, None)


@router.get("/health/diagnosis")
async def return_to_health(request: Request) -> Response:
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
    health = room.directory.health()
    page = HealthPage(
        is_ok=health.store.is_ok,
        store_message=health.store.message,
        figures=_figures(room, health),
        limits=_limits(room.settings),
        started_at=health.started_at,
        refusals=make_refused(room.directory.refusals(), urls_of(request)),
        diagnosis=diagnosis,
    )
    return await render_page(request, room, actor, Frame("health", "Health", is_live=False), page)


def _figures(room: Switchroom, health: Health) -> tuple[tuple[str, str], ...]:
    store = health.store
    return (
        ("Live sessions", count(health.live_sessions)),
        ("of these hibernated, out of memory", count(health.hibernated)),
        ("Calls in flight", count(health.in_flight)),
        ("Open streams", count(health.open_streams)),
        ("Requests per second", rate(health.requests_per_second)),
        ("Sessions refused by a limit", count(health.refused_sessions)),
        ("Writes waiting for a commit", count(store.queued)),
        ("Last commit", duration(store.last_commit_ms / 1000)),
        ("Failed commits", count(store.failed_commits)),
        ("Durability", room.settings.durability if room.store.is_durable else "none, in memory"),
        ("MCP servers", ", ".join(room.directory.server_names)),
        ("Worker", health.worker_id),
        ("Switchroom", health.version),
        ("mcp", health.mcp_version),
    )


def _limits(settings: Settings) -> tuple[tuple[str, str], ...]:
    if not settings.has_limits:
        return (("All limits", "off"),)
    return (
        ("Live sessions", f"{settings.max_sessions:,}"),
        ("Sessions of one address", f"{settings.max_sessions_per_address:,}"),
        ("Sessions of one principal", f"{settings.max_sessions_per_principal:,}"),
        ("Opened by one address in a minute", f"{settings.max_opened_per_minute:,}"),
        ("Calls in flight per session", f"{settings.max_in_flight:,}"),
        ("Streams per session", f"{settings.max_streams:,}"),
        ("Request body", size(settings.max_body_bytes)),
        ("Idle sessions expire after", age(settings.idle_seconds)),
        ("Events per session", f"{settings.max_events:,}"),
        ("Log per session", size(settings.max_log_bytes)),
        ("Stored values per session", size(settings.max_total_value_bytes)),
        ("Ended sessions are kept for", age(settings.ended_session_seconds)),
        ("Their ids are remembered for", age(settings.ended_id_seconds)),
    )
