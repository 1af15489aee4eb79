"""Listing sessions: live ones from memory, ended ones from the store, merged in one order."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from operator import attrgetter, itemgetter

from ..engine.describing import describe
from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..filters import Filter
from ..filters.fields import FIELDS, TRANSPORTS, ValueKind
from ..models import Session, SessionPage
from ..store.ended import parse_sort
from .cursors import Key, decode_cursor, encode_cursor
from .tally import Tallies

_EXPORTED_AT_ONCE = 500
_LISTED_KINDS = frozenset({ValueKind.STATE, ValueKind.CHOICE, ValueKind.TEXT, ValueKind.DATE, ValueKind.VERSION})


class Listing:
    """Finds and counts the sessions that match a filter."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.tallies = Tallies(engine)

    def live(self, query: Filter) -> Iterator[LiveSession]:
        """Yield the live sessions that match, in no order."""
        now = time.time()
        sessions = self._engine.live()
        return iter(sessions) if query.is_empty else (s for s in sessions if query.matches(s, now))

    async def page(self, query: Filter, sort: str, limit: int, cursor: str | None) -> SessionPage:
        """Return one page and the number of all that match.

        Raises:
            InvalidInput: The order or the cursor is unknown.
        """
        attribute, descending = parse_sort(sort)
        after = decode_cursor(sort, cursor) if cursor else None

        # Read from the record by C code: ten thousand calls of a property take longer than the rest of the page.
        read = attrgetter(f"record.{attribute}", "record.id")
        keys = [(read(session), session) for session in self.live(query)]
        if after is not None:
            keys = [each for each in keys if (each[0] < after if descending else each[0] > after)]
        pick = heapq.nlargest if descending else heapq.nsmallest
        first = pick(limit + 1, keys, key=itemgetter(0))
        ended = await self._engine.store.sessions.ended(query, now=time.time(), sort=sort, limit=limit + 1, after=after)
        items: list[tuple[Key, Session]] = [(key, self._engine.describe(session)) for key, session in first]
        # A session that ended a moment ago may be in both for one turn of the loop.
        seen = {session.id for _, session in items}
        items += [((getattr(r, attribute), r.id), describe(r)) for r in ended if r.id not in seen]
        items.sort(key=lambda item: item[0], reverse=descending)
        page = items[:limit]
        next_cursor = encode_cursor(sort, page[-1][0]) if len(items) > limit else None
        tally = await self.tallies.take(query)
        return SessionPage([session for _, session in page], next_cursor, tally.total, dict(tally.by_status))

    async def count_by_status(self, query: Filter) -> dict[str, int]:
        """Return how many match by status, whatever the filter says of states."""
        return dict((await self.tallies.take(query)).by_status)

    async def everything(self, query: Filter, exclude: frozenset[str]) -> AsyncIterator[list[Session]]:
        """Yield every session that matches, live ones first, some at a time."""
        live = [session for session in self.live(query) if session.record.id not in exclude]
        for start in range(0, len(live), _EXPORTED_AT_ONCE):
            yield [self._engine.describe(session) for session in live[start : start + _EXPORTED_AT_ONCE]]
            await asyncio.sleep(0)
        seen = exclude | {session.record.id for session in live}
        after: Key | None = None
        while ended := await self._engine.store.sessions.ended(
            query, now=time.time(), sort="created", limit=_EXPORTED_AT_ONCE, after=after
        ):
            yield [describe(record) for record in ended if record.id not in seen]
            after = ended[-1].created_at, ended[-1].id

    def values_of(self, key: str) -> Counter[str]:
        """Return the values that live sessions have for a text key of the filter language, with how many have each."""
        field = FIELDS.get(key)
        if field is None or key == "id" or field.kind not in _LISTED_KINDS:
            return Counter()
        read = attrgetter(field.attributes[0])
        counted = Counter(str(read(session) or "") for session in self._engine.live())
        if key == "transport":
            return Counter({name: counted[kind.value] for name, kind in TRANSPORTS.items()})
        del counted[""]
        return counted

    async def count(self, query: Filter) -> int:
        """Return how many match, live and ended."""
        return (await self.tallies.take(query)).total
