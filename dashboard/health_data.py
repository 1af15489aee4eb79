"""What the health page shows, read from the directory; the page and its live stream ask here."""

from __future__ import annotations

from typing import Final

from ..server.attach import Switchroom
from ..server.directory import Health, Limit, LimitState, MemoryTrend, StalledStream, StreamCut, Vitals
from .contexts.health import HealthFact, HealthNow, LimitRow, StalledRow
from .formatting import age, count, duration, plural, rate, size
from .urls import Urls

LIMIT_LABELS: Final = {
    Limit.SESSIONS: "Live sessions",
    Limit.PER_ADDRESS: "Sessions of one address",
    Limit.PER_PRINCIPAL: "Sessions of one principal",
    Limit.OPENED_PER_MINUTE: "Opened by one address in a minute",
    Limit.REQUESTS_PER_MINUTE: "Requests of one sender in a minute",
    Limit.IN_FLIGHT: "Calls in flight of one session",
    Limit.IN_FLIGHT_PER_ADDRESS: "Calls in flight of one address, without a session",
    Limit.STREAMS: "Streams of one session",
    Limit.LISTEN_STREAMS: "Listen streams of one sender",
    Limit.CONNECTIONS: "Connections in all",
    Limit.CONNECTIONS_PER_ADDRESS: "Connections of one address",
    Limit.BODY: "Request body",
    Limit.KEYS: "Stored keys of one session",
}

NEAR: Final = 0.8
"""A limit that is used so far is shown as near."""

SLOW_LAG_SECONDS: Final = 0.5
"""Everybody waits for a loop that is this late."""


def health_now(room: Switchroom, urls: Urls) -> HealthNow:
    """Return what the page shows of this moment."""
    directory = room.directory
    health, vitals = directory.health(), directory.vitals()
    return HealthNow(
        is_ok=health.store.is_ok,
        store_message=health.store.message,
        store=_store(room, health),
        process=_process(room, health, vitals),
        streams=_streams(health, vitals),
        cut=cut_sentence(vitals.stream_cut) if vitals.stream_cut is not None else "",
        stalled=tuple(_stalled(each, urls) for each in vitals.stalled[:20]),
        limits=tuple(_limit(each) for each in directory.limits()),
    )


def cut_sentence(cut: StreamCut) -> str:
    """Return what cuts streams, in a sentence."""
    spread = f"{cut.age:.0f} ± {max(1.0, cut.spread):.0f} s"
    return (
        f"{cut.alike} of the last {cut.of} streams that were ended from outside ended at the same age, {spread}: "
        "a proxy or load balancer with a time limit does that. Raise its read timeout, or lower ping_seconds below it."
    )


def trend_sentence(trend: MemoryTrend | None) -> str:
    """Return how memory has grown, in a few words."""
    if trend is None:
        return "known after an hour"
    sign = "+" if trend.bytes_per_hour >= 0 else "-"
    return (
        f"{sign}{size(abs(trend.bytes_per_hour))} an hour over {duration(trend.hours * 3600)}; "
        f"sessions {count(round(trend.sessions_before))} to {count(round(trend.sessions_now))}"
    )


def _store(room: Switchroom, health: Health) -> tuple[HealthFact, ...]:
    store = health.store
    return (
        HealthFact("Writes waiting for a commit", count(store.queued), "warn" if store.queued > 10_000 else ""),
        HealthFact(
            "Last commit", duration(store.last_commit_ms / 1000), "warn" if store.last_commit_ms > 1_000 else ""
        ),
        HealthFact("Commits", count(store.commits)),
        HealthFact("Failed commits", count(store.failed_commits), "warn" if store.failed_commits else ""),
        HealthFact("Last error", store.last_error or "none", "warn" if store.last_error else ""),
        HealthFact("File with its log", size(store.file_bytes) if store.file_bytes else "none, in memory"),
        HealthFact("Durability", room.settings.durability if room.store.is_durable else "none, in memory"),
    )


def _process(room: Switchroom, health: Health, vitals: Vitals) -> tuple[HealthFact, ...]:
    trend, worst = vitals.memory_trend, vitals.worst_lag_seconds
    return (
        HealthFact("Memory", size(vitals.memory_bytes) if vitals.memory_bytes else "not told by this system"),
        HealthFact("Memory trend", trend_sentence(trend), "warn" if trend is not None and trend.is_leak else ""),
        HealthFact(
            "Loop lag now, worst of a minute",
            f"{duration(vitals.loop_lag_seconds)}, {duration(worst)}",
            "warn" if worst > SLOW_LAG_SECONDS else "",
        ),
        HealthFact("Requests per second", rate(health.requests_per_second)),
        HealthFact(
            "Sessions hibernated, out of memory", f"{count(health.hibernated)} of {count(health.live_sessions)}"
        ),
        HealthFact("Key ring for secrets", "set" if vitals.keeps_secrets else "none, secrets are refused"),
        HealthFact("MCP servers", ", ".join(room.directory.server_names)),
        HealthFact("Worker", health.worker_id),
        HealthFact("Switchroom, mcp", f"{health.version}, {health.mcp_version}"),
    )


def _streams(health: Health, vitals: Vitals) -> tuple[HealthFact, ...]:
    faults = vitals.stream_faults
    return (
        HealthFact("Open", count(health.open_streams)),
        HealthFact("Blocked by a reader now", count(len(vitals.stalled)), "warn" if vitals.stalled else ""),
        HealthFact("Cut, reader too slow", count(faults.slow), "warn" if faults.slow else ""),
        HealthFact("Broken while written to", count(faults.broken), "warn" if faults.broken else ""),
        HealthFact("Ended by the other side", count(faults.lost)),
    )


def _stalled(stream: StalledStream, urls: Urls) -> StalledRow:
    url = urls.record(stream.session_id, "streams", is_client=stream.is_client)
    return StalledRow(stream.client_name or stream.session_id, url, stream.kind, stream.opened_at, stream.stalled_since)


def _limit(state: LimitState) -> LimitRow:
    hits = state.hits
    words = size if state.limit is Limit.BODY else count
    share = min(1.0, state.share)
    return LimitRow(
        label=LIMIT_LABELS[state.limit],
        allowed=words(state.allowed),
        used="" if state.used is None else words(state.used),
        who=state.who,
        width=round(100 * share, 1),
        tone="bad" if share >= 1 else "warn" if share >= NEAR else "",
        hits=0 if hits is None else hits.times,
        hit_at=0.0 if hits is None else hits.last_at,
        hit_by="" if hits is None else hits.who,
    )


def kept(room: Switchroom) -> tuple[tuple[str, str], ...]:
    """Return how long and how much is kept."""
    settings = room.settings
    return (
        ("Idle sessions expire after", age(settings.idle_seconds)),
        ("Events of one session", f"{settings.max_events:,}"),
        ("Log of one session", size(settings.max_log_bytes)),
        ("Events of any session", age(settings.max_event_age_seconds)),
        ("Events of one stream", f"{settings.max_events_per_stream:,}"),
        ("Log of one stream", size(settings.max_log_bytes_per_stream)),
        ("Events of any stream", age(settings.max_event_age_per_stream_seconds or settings.max_event_age_seconds)),
        ("Stored values of one session", size(settings.max_total_value_bytes)),
        ("Ended sessions", age(settings.ended_session_seconds)),
        ("Ids of ended sessions", age(settings.ended_id_seconds)),
        ("Figures behind the charts", age(settings.figures_seconds)),
        ("A call counts as hung after", duration(settings.hung_call_seconds)),
        ("Logs that have dropped their oldest events", plural(room.directory.trimmed_logs(), "live session")),
    )
