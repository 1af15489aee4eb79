"""Counting sessions for lists and their followers: one walk answers the facets, the total and the pill of new ones.

What is counted of ended sessions is kept until one of them changes; followers of the same filter share
what was counted in the last two seconds.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple, TypeVar

from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..filters import Filter
from ..filters.fields import ValueKind
from ..filters.matching import statuses_of

STATUSES: Final = ("active", "idle", "initializing", "not_initialized", "detached", "expired", "closed", "rejected")
"""What a session's `status` can be, in the order of the list's facets."""

SHARED_SECONDS: Final = 2.0
"""How old a tally may be for a follower."""
_AGEING_SECONDS: Final = 1.0
"""How long ended sessions counted by a filter with a time in it count as counted."""
_NEWEST: Final = 200
_FILTERS: Final = 200
"""Filters whose counts are kept."""

Value = TypeVar("Value")


class Tally(NamedTuple):
    """How many sessions match a filter."""

    by_status: Mapping[str, int]
    """Whatever the filter says of states, which only choose among them."""
    total: int
    """How many match the whole filter."""
    newest: list[tuple[float, str]]
    """`(created, id)` of the live matches opened last, the newest first, at most 200."""


class Tallies:
    """Counts and keeps counts. For the event loop's thread only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ended: OrderedDict[str, tuple[int, float, dict[str, int]]] = OrderedDict()
        self._shared: OrderedDict[str, tuple[float, asyncio.Future[Tally]]] = OrderedDict()

    async def take(self, query: Filter) -> Tally:
        """Count now. Followers get nothing older from then on: no page's numbers go back when its stream begins."""
        counting = asyncio.ensure_future(self._count(query))
        _keep(self._shared, query.text, (time.monotonic(), counting))
        return await asyncio.shield(counting)

    async def _count(self, query: Filter) -> Tally:
        everywhere = query.without("state")
        counted, newest = self._live(everywhere, states_of(query))
        counted.update(await self.ended(everywhere))
        by_status = {status: counted.get(status, 0) for status in STATUSES}
        return Tally(by_status, sum(by_status[status] for status in states_of(query)), newest)

    async def shared(self, query: Filter) -> Tally:
        """Return what was counted in the last two seconds, for whoever follows the same filter; or count now."""
        now = time.monotonic()
        kept = self._shared.get(query.text)
        if kept is None or now - kept[0] >= SHARED_SECONDS or (kept[1].done() and kept[1].cancelled()):
            return await self.take(query)
        return await asyncio.shield(kept[1])

    async def ended(self, query: Filter) -> dict[str, int]:
        """Return how many ended sessions match by state."""
        registry, now = self._engine.store.sessions, time.monotonic()
        version = registry.ended_version
        kept = self._ended.get(query.text)
        if kept is not None and kept[0] == version and (now - kept[1] < _AGEING_SECONDS or not _ages(query)):
            return kept[2]
        counts = await registry.count_ended(query, now=time.time())
        _keep(self._ended, query.text, (version, now, counts))
        return counts

    def _live(self, query: Filter, states: frozenset[str]) -> tuple[Counter[str], list[tuple[float, str]]]:
        now = time.time()
        sessions: Iterable[LiveSession] = self._engine.live()
        if not query.is_empty:
            sessions = [session for session in sessions if query.matches(session, now)]
        matching = [(session.status_at(now), session) for session in sessions]
        counted = Counter([status for status, _ in matching])
        read = attrgetter("record.created_at", "record.id")
        chosen = sessions if len(states) == len(STATUSES) else [s for status, s in matching if status in states]
        return counted, heapq.nlargest(_NEWEST, map(read, chosen))


def states_of(query: Filter) -> frozenset[str]:
    """Return the statuses that a filter's `state:` terms leave over."""
    left = frozenset(STATUSES)
    for term in query.terms:
        if term.field.kind is ValueKind.STATE:
            named = statuses_of(term.tests)
            left = left - named if term.is_negated else left & named
    return left


def _ages(query: Filter) -> bool:
    return any(term.field.kind is ValueKind.DURATION for term in query.terms)


def _keep(kept: OrderedDict[str, Value], key: str, value: Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _FILTERS:
        kept.popitem(last=False)
