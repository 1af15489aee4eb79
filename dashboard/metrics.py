"""`/metrics` for Prometheus: what it says, and who may read it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from ..server.attach import Switchroom
from ..server.directory import Directory, Health
from ..server.models import LATENCY_BOUNDS_US
from .auth import address_of
from .deps import settings_of, switchroom, watching_actor
from .exposition import CONTENT_TYPE, Exposition, Sample
from .hosts import host_of, is_loopback

router = APIRouter(include_in_schema=False)

PATH: Final = "/metrics"

_FORWARDING: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""A proxy on this machine reaches us from loopback: what it passes on is not from this machine."""


@router.get(PATH)
async def show_metrics(request: Request) -> Response:
    """Return every metric.

    Raises:
        NotSignedIn: From elsewhere than this machine without a token or a sign-in.
    """
    wanted = settings_of(request).metrics
    if wanted == "off":
        raise HTTPException(404)
    if not (wanted == "local" and _is_from_this_machine(request)):
        await watching_actor(request)
    return PlainTextResponse(metrics_text(switchroom(request)), media_type=CONTENT_TYPE)


def _is_from_this_machine(request: Request) -> bool:
    host = host_of(request)
    is_direct = not any(name in request.headers for name in _FORWARDING)
    return is_direct and host is not None and is_loopback(host.name) and is_loopback(address_of(request))


def metrics_text(room: Switchroom) -> str:
    """Return every metric in the text format."""
    health, out = room.directory.health(), Exposition()
    _process(out, health, room.directory)
    _sessions(out, health, room.directory)
    _calls(out, room.directory)
    _streams(out, health, room.directory)
    _store(out, health)
    _limits(out, room.directory)
    _operators(out, room)
    return out.text()


def _process(out: Exposition, health: Health, directory: Directory) -> None:
    vitals = directory.vitals()
    labels = {"version": health.version, "mcp": health.mcp_version, "worker": health.worker_id}
    out.gauge("switchroom_info", "Always 1; the labels say what runs.", [(labels, 1)])
    out.gauge("switchroom_uptime_seconds", "Seconds since the start.", time.time() - health.started_at)
    out.gauge("switchroom_resident_memory_bytes", "Resident memory of the process.", vitals.memory_bytes)
    out.gauge("switchroom_loop_lag_seconds", "How late the event loop ran at the last look.", vitals.loop_lag_seconds)
    out.gauge("switchroom_loop_lag_worst_seconds", "The most of the last minute.", vitals.worst_lag_seconds)


def _sessions(out: Exposition, health: Health, directory: Directory) -> None:
    states = [({"state": state.value}, number) for state, number in health.states.items()]
    out.gauge("switchroom_sessions", "Live sessions by state.", states)
    out.gauge("switchroom_sessions_hibernated", "Live sessions that are out of memory.", health.hibernated)
    out.counter("switchroom_sessions_opened_total", "Sessions opened.", directory.totals().opened)
    out.gauge("switchroom_clients", "Sessionless clients of the 2026-07-28 era.", health.clients)


def _calls(out: Exposition, directory: Directory) -> None:
    totals = directory.totals()
    eras = [({"era": "handshake"}, totals.handshake), ({"era": "modern"}, totals.modern)]
    out.gauge("switchroom_calls_in_flight", "Requests that are not answered yet.", directory.health().in_flight)
    out.counter("switchroom_requests_total", "Requests answered, by era.", eras)
    out.counter("switchroom_request_errors_total", "Of these, answered with an error.", totals.errors)
    bounds = [bound / 1e6 for bound in LATENCY_BOUNDS_US]
    about = "From a request to its answer; streams that are answered at their end are left out."
    out.histogram("switchroom_request_duration_seconds", about, bounds, totals.latency, totals.duration_us / 1e6)


def _streams(out: Exposition, health: Health, directory: Directory) -> None:
    vitals = directory.vitals()
    faults = vitals.stream_faults
    ended = [({"why": "slow"}, faults.slow), ({"why": "error"}, faults.broken), ({"why": "client"}, faults.lost)]
    out.gauge("switchroom_streams", "Streams that clients hold open.", health.open_streams)
    out.gauge("switchroom_streams_blocked", "Of these, not read by their client.", len(vitals.stalled))
    out.counter("switchroom_streams_ended_total", "Streams that the server did not end itself, by why.", ended)


def _store(out: Exposition, health: Health) -> None:
    store = health.store
    out.gauge("switchroom_store_up", "1 while the store takes writes.", int(store.is_ok))
    out.gauge("switchroom_store_queue", "Writes that wait for a commit.", store.queued)
    out.counter("switchroom_store_commits_total", "Transactions committed.", store.commits)
    out.counter("switchroom_store_commit_seconds_total", "Time they took together.", store.commit_seconds)
    out.gauge("switchroom_store_last_commit_seconds", "Time the last one took.", store.last_commit_ms / 1000)
    out.counter(
        "switchroom_store_failed_commits_total", "Commits that failed and were tried again.", store.failed_commits
    )
    out.gauge("switchroom_store_file_bytes", "Size of the database with its log.", store.file_bytes)


def _limits(out: Exposition, directory: Directory) -> None:
    states = directory.limits()

    def samples(values: Iterable[tuple[str, float]]) -> list[Sample]:
        return [({"limit": limit}, value) for limit, value in values]

    hits = samples((state.limit.value, 0 if state.hits is None else state.hits.times) for state in states)
    used = samples((state.limit.value, state.share) for state in states if state.used is not None)
    out.counter("switchroom_limit_hits_total", "Requests that a limit turned away.", hits)
    out.gauge("switchroom_limit_used_ratio", "How much of a limit whoever is nearest to it uses, 0 to 1.", used)


def _operators(out: Exposition, room: Switchroom) -> None:
    counts = room.operations.action_counts()
    by_action = [({"action": action, "outcome": outcome}, number) for (action, outcome), number in counts.items()]
    started = counts.get(("broadcast", "done"), 0)
    sign_ins = [({"outcome": outcome}, counts.get(("sign_in", outcome), 0)) for outcome in ("done", "refused")]
    out.counter("switchroom_broadcasts_total", "Broadcasts started.", started)
    out.counter("switchroom_sign_ins_total", "Attempts of operators to sign in.", sign_ins)
    out.counter(
        "switchroom_operator_actions_total", "What operators did, by action and outcome.", sorted_samples(by_action)
    )


def sorted_samples(samples: Iterable[Sample]) -> list[Sample]:
    """Return samples in the order of their labels, so that two answers compare."""
    return sorted(samples, key=lambda sample: sorted(sample[0].items()))
