"""What needs somebody, most pressing first, each with the list behind it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from ..server.attach import Switchroom
from ..server.directory import RANGES, Directory, Health
from ..server.filters import parse_filter
from ..server.models import Figures, joined
from .contexts.charts import worst_method
from .contexts.overview import Concern
from .formatting import count, duration, plural, share
from .health_data import LIMIT_LABELS, NEAR, SLOW_LAG_SECONDS, trend_sentence
from .urls import Urls

_LISTED: Final = {
    "stuck initializing for over 30 s": "state:initializing age:>30s",
    "without a finished handshake for over 30 s": "state:not_initialized age:>30s",
    "rejected at the handshake in the last 5 min": "state:rejected age:<5m",
}
"""The end of the sentence, and the filter whose matches it counts."""

_SLOW_COMMIT_MS: Final = 1_000.0
_LONG_QUEUE: Final = 10_000

_SPIKE_SECONDS: Final = 300
_SPIKE_SHARE: Final = 0.05
_SPIKE_GROWTH: Final = 3.0
_SPIKE_ERRORS: Final = 10

_REFUSED_SECONDS: Final = 300.0
_LIMIT_SECONDS: Final = 900.0
_FAULT_SECONDS: Final = 300.0
"""How long after it happened something still needs somebody."""


async def concerns(room: Switchroom, urls: Urls) -> list[Concern]:
    """Return everything that needs somebody; counts over all sessions, so not for every frame."""
    directory = room.directory
    health = directory.health()
    found = [*_store(health, urls), *_hung_calls(room, urls)]
    for words, query in _LISTED.items():
        number = await directory.count(parse_filter(query))
        if number:
            found.append(Concern(f"{plural(number, 'session')} {words}", urls.sessions(query), "warn"))
    return [
        *found,
        *_limits(directory, urls),
        *_streams(directory, urls),
        *_process(directory, urls),
        *_error_spike(directory, urls),
        *_refused_ids(directory, urls),
    ]


def _store(health: Health, urls: Urls) -> Iterator[Concern]:
    store = health.store
    if not store.is_ok:
        yield Concern(f"The store does not take writes: {store.message}", urls.health(), "bad")
    elif store.last_commit_ms > _SLOW_COMMIT_MS or store.queued > _LONG_QUEUE:
        took = duration(store.last_commit_ms / 1000)
        yield Concern(
            f"The store is slow: its last commit took {took}, {plural(store.queued, 'write')} wait",
            urls.health(),
            "warn",
        )


def _hung_calls(room: Switchroom, urls: Urls) -> Iterator[Concern]:
    limit = room.settings.hung_call_seconds
    before = time.time() - limit
    hung = [each for each in room.directory.calls() if each.call.started_at < before and not each.call.is_endless]
    if hung:
        oldest = duration(time.time() - hung[0].call.started_at)
        words = f"{plural(len(hung), 'call')} in flight for over {duration(limit)}, the oldest for {oldest}"
        yield Concern(words, urls.calls(hung=True), "warn")


def _limits(directory: Directory, urls: Urls) -> Iterator[Concern]:
    since, here = time.time() - _LIMIT_SECONDS, f"{urls.health()}#limits"
    for state in directory.limits():
        label, hits = LIMIT_LABELS[state.limit], state.hits
        if hits is not None and hits.last_at >= since:
            who = f", last by {hits.who}" if hits.who else ""
            yield Concern(f"Limit reached {plural(hits.times, 'time')}: {label}{who}", here, "bad")
        elif state.share >= NEAR:
            who = f" ({state.who})" if state.who else ""
            used = f"{count(state.used or 0)} of {count(state.allowed)}"
            yield Concern(f"Limit near: {label}, {used}{who}", here, "warn")


def _streams(directory: Directory, urls: Urls) -> Iterator[Concern]:
    vitals, here = directory.vitals(), f"{urls.health()}#streams"
    if vitals.stalled:
        words = f"{plural(len(vitals.stalled), 'stream')} open but not read by the client"
        yield Concern(
            f"{words}, the longest for {duration(time.time() - vitals.stalled[0].stalled_since)}", here, "warn"
        )
    if (cut := vitals.stream_cut) is not None:
        words = f"Something cuts streams at {cut.age:.0f} s: {cut.alike} of the last {cut.of} ended at that age"
        yield Concern(words, here, "warn")
    faults = vitals.stream_faults
    if faults.last_at is not None and faults.last_at >= time.time() - _FAULT_SECONDS:
        words = f"{plural(faults.slow + faults.broken, 'stream')} cut or broken while written to since the start"
        yield Concern(words, here, "warn")


def _process(directory: Directory, urls: Urls) -> Iterator[Concern]:
    vitals = directory.vitals()
    if vitals.worst_lag_seconds > SLOW_LAG_SECONDS:
        words = f"The event loop was {duration(vitals.worst_lag_seconds)} late within the last minute: code blocks it"
        yield Concern(words, urls.health(), "warn")
    if vitals.refused_secrets:
        words = f"{plural(vitals.refused_secrets, 'secret')} not stored: no key ring. Set SWITCHROOM_SECRET_KEYS"
        yield Concern(words, urls.health(), "bad")
    if vitals.memory_trend is not None and vitals.memory_trend.is_leak:
        yield Concern(f"Memory grows without sessions: {trend_sentence(vitals.memory_trend)}", urls.health(), "warn")


def _error_spike(directory: Directory, urls: Urls) -> Iterator[Concern]:
    """Compare the last five minutes with the hour before them."""
    since = time.time() - _SPIKE_SECONDS
    points = directory.trends(RANGES[1]).points
    recent = [each for each in points if each.at >= since - each.seconds]
    before = [each for each in points if each.at < since - each.seconds]
    if not recent:
        return
    now = joined(recent, recent[0].at)
    then = joined(before, before[0].at) if before else Figures(0, 0)
    rate = now.errors / now.answers if now.answers else 0.0
    usual = then.errors / then.answers if then.answers else 0.0
    if now.errors >= _SPIKE_ERRORS and rate >= _SPIKE_SHARE and rate >= usual * _SPIKE_GROWTH:
        words = f"Errors: {share(now.errors, now.answers)} of the last 5 min, {share(then.errors, then.answers)} before"
        worst = worst_method(now)
        text = f"{words}. {worst}" if worst else words
        yield Concern(text, urls.events(errors=True, within="5m"), "bad")


def _refused_ids(directory: Directory, urls: Urls) -> Iterator[Concern]:
    since = time.time() - _REFUSED_SECONDS
    recent = [each for each in directory.refusals() if each.last_at >= since and each.times >= 3]
    if recent:
        words = f"{plural(len(recent), 'session id')} refused again and again in the last 5 min"
        yield Concern(words, f"{urls.health()}#refused", "warn")
