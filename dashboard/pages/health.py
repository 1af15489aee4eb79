"""The health page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ...server.attach import Switchroom
from ...server.directory import Health
from ...server.settings import Settings
from ..contexts.health import HealthPage
from ..contexts.shell import Frame
from ..deps import CurrentActor, CurrentSwitchroom
from ..formatting import age, count, duration, rate, size
from ..rendering import render_page

router = APIRouter()


@router.get("/health")
async def show_health(request: Request, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show how the process and its store are, and which limits hold."""
    health = room.directory.health()
    page = HealthPage(
        is_ok=health.store.is_ok,
        store_message=health.store.message,
        figures=_figures(room, health),
        limits=_limits(room.settings),
        started_at=health.started_at,
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
    )
