"""What needs somebody, as plain values: limits and how near they are, hung calls, dead streams, leaks, spikes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ..engine.engine import Engine
from ..engine.limits import Limit, LimitHits
from ..engine.session import LiveSession
from ..engine.streamwatch import StreamCut, StreamFaults
from ..models import Figures, SessionKind

STALLED_SECONDS: Final = 5.0
"""A write that a reader has blocked for so long: the stream looks alive and is not."""

_LEAK_MINUTES: Final = 60
"""So much of a trend is needed before it says anything."""
_LEAK_SETTLES: Final = 600.0
"""Seconds after the start in which memory grows for good reasons."""
_LEAK_SHARE: Final = 0.05
_LEAK_BYTES: Final = 8 * 1024 * 1024
_LEAK_SESSIONS: Final = 0.1


class LimitState(NamedTuple):
    """One limit, how near somebody is, and how often it was reached."""

    limit: Limit
    allowed: int
    used: int | None
    """The most that anybody uses of it now; `None` where each request is judged alone."""
    who: str
    """Whose that is: an address, a principal or a session's reference; `""` where it is nobody's own."""
    hits: LimitHits | None

    @property
    def share(self) -> float:
        return 0.0 if self.used is None else self.used / self.allowed


class StalledStream(NamedTuple):
    """A stream whose client holds the connection and does not read."""

    session_id: str
    is_client: bool
    """Whether it belongs to a client that holds no session."""
    client_name: str
    kind: str
    opened_at: float
    stalled_since: float


class MemoryTrend(NamedTuple):
    """How memory has grown since the process settled, beside the number of sessions."""

    hours: float
    bytes_now: int
    bytes_per_hour: float
    sessions_before: float
    sessions_now: float

    @property
    def is_leak(self) -> bool:
        """Whether memory grows for an hour or more while the sessions do not."""
        grows = self.bytes_per_hour > max(_LEAK_BYTES, self.bytes_now * _LEAK_SHARE)
        more = self.sessions_now > self.sessions_before * (1 + _LEAK_SESSIONS) + 5
        return grows and not more


class Vitals(NamedTuple):
    """How the process and its streams are."""

    memory_bytes: int
    loop_lag_seconds: float
    worst_lag_seconds: float
    """Within the last minute."""
    memory_trend: MemoryTrend | None
    """`None` within the first hour."""
    stream_faults: StreamFaults
    stream_cut: StreamCut | None
    stalled: tuple[StalledStream, ...]
    keeps_secrets: bool
    """Whether a key ring is configured, so that stored values may be secrets."""
    refused_secrets: int
    """Secrets that tools and operators could not store for want of one."""


def limit_states(engine: Engine) -> tuple[LimitState, ...]:
    """Return every limit in force, with who is nearest to it."""
    settings, admission = engine.settings, engine.admission
    if not settings.has_limits:
        return ()
    sessions = [*engine.live()]
    most_streams = _most((_held(session), session.id) for session in sessions)
    nearest: tuple[tuple[Limit, int, tuple[int, str] | None], ...] = (
        (Limit.SESSIONS, settings.max_sessions, (admission.live, "")),
        (Limit.PER_ADDRESS, settings.max_sessions_per_address, admission.most_of_one_address()),
        (Limit.PER_PRINCIPAL, settings.max_sessions_per_principal, admission.most_of_one_principal()),
        (Limit.OPENED_PER_MINUTE, settings.max_opened_per_minute, admission.most_opened()),
        (Limit.REQUESTS_PER_MINUTE, settings.max_requests_per_minute, admission.most_requests()),
        (Limit.IN_FLIGHT, settings.max_in_flight, _most((s.in_flight, s.id) for s in sessions)),
        (Limit.IN_FLIGHT_PER_ADDRESS, settings.max_in_flight_per_address, _most(_by_address(engine))),
        (Limit.STREAMS, settings.max_streams, most_streams),
        (Limit.LISTEN_STREAMS, settings.max_listen_streams, _most(_listening(engine))),
        (Limit.CONNECTIONS, settings.max_connections, None),
        (Limit.CONNECTIONS_PER_ADDRESS, settings.max_connections_per_address, None),
        (Limit.BODY, settings.max_body_bytes, None),
        (Limit.KEYS, settings.max_keys, _most((s.key_count, s.id) for s in sessions)),
    )
    return tuple(
        LimitState(limit, allowed, None, "", engine.limit_hits.of(limit))
        if used is None
        else LimitState(limit, allowed, *used, engine.limit_hits.of(limit))
        for limit, allowed, used in nearest
    )


def vitals(engine: Engine, memory_bytes: int) -> Vitals:
    """Return how the process and its streams are."""
    return Vitals(
        memory_bytes=memory_bytes,
        loop_lag_seconds=engine.loop_lag.latest(),
        worst_lag_seconds=engine.loop_lag.worst(),
        memory_trend=memory_trend(list(engine.meter.minutes), engine.started_at),
        stream_faults=engine.stream_watch.faults(),
        stream_cut=engine.stream_watch.cut(),
        stalled=tuple(stalled_streams(engine.by_id.values())),
        keeps_secrets=engine.ring.keeps_values,
        refused_secrets=engine.ring.refused,
    )


def stalled_streams(sessions: Iterable[LiveSession]) -> list[StalledStream]:
    """Return the streams whose last write has not gone out for a while, the longest first."""
    before = time.time() - STALLED_SECONDS
    found = [
        StalledStream(
            session.id,
            session.record.kind is SessionKind.CLIENT,
            session.record.client_name,
            stream.kind,
            stream.opened_at,
            stream.blocked_since,
        )
        for session in list(sessions)
        for stream in session.streams or ()
        if stream.blocked_since is not None and stream.blocked_since < before
    ]
    return sorted(found, key=lambda each: each.stalled_since)


def memory_trend(minutes: Sequence[Figures], started_at: float) -> MemoryTrend | None:
    """Return the line that fits memory best since the process settled; `None` before there is an hour of it."""
    known = [each for each in minutes if each.at >= started_at + _LEAK_SETTLES and each.gauges.memory_bytes]
    if len(known) < _LEAK_MINUTES:
        return None
    hours = [(each.at - known[0].at) / 3600 for each in known]
    memory = [each.gauges.memory_bytes for each in known]
    middle, mean = sum(hours) / len(hours), sum(memory) / len(memory)
    spread = sum((hour - middle) ** 2 for hour in hours)
    slope = sum((hour - middle) * (size - mean) for hour, size in zip(hours, memory, strict=True)) / spread
    tenth = max(1, len(known) // 10)
    return MemoryTrend(hours[-1], memory[-1], slope, _sessions(known[:tenth]), _sessions(known[-tenth:]))


def _sessions(minutes: Sequence[Figures]) -> float:
    return sum(each.gauges.live for each in minutes) / len(minutes)


def _held(session: LiveSession) -> int:
    return sum(1 for stream in session.streams or () if stream.kind == "get" and not stream.is_closed)


def _by_address(engine: Engine) -> Iterable[tuple[int, str]]:
    counts: dict[str, int] = {}
    for session in engine.live(clients=True):
        record = session.record
        counts[record.address] = counts.get(record.address, 0) + session.in_flight - session.open_streams
    return ((number, address) for address, number in counts.items())


def _listening(engine: Engine) -> Iterable[tuple[int, str]]:
    counts: dict[str, int] = {}
    for session in engine.live(clients=True):
        who = session.record.principal or session.record.address
        counts[who] = counts.get(who, 0) + session.open_streams
    return ((number, who) for who, number in counts.items())


def _most(counted: Iterable[tuple[int, str]]) -> tuple[int, str]:
    number, who = max(counted, default=(0, ""))
    return (number, who) if number > 0 else (0, "")
