"""Which sessions there are: lists, counts, one of them, and what became of an id."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator

from ..engine.describing import describe
from ..engine.diagnosis import Diagnosis, diagnose
from ..engine.engine import Engine
from ..engine.refusals import Refusal
from ..engine.session import LiveSession
from ..errors import NotFound
from ..filters import Filter
from ..ids import hash_secret
from ..models import Session, SessionKind, SessionPage, SessionRecord, Transition, history_of
from .listing import Listing
from .reads import Reads
from .tally import Tally

ClientKey = tuple[str | None, str, str]
"""Principal, name and version: what tells clients apart that have no session."""


def client_key(session: Session | SessionRecord) -> ClientKey:
    """Return what a session or a handle has in common with the client it belongs to."""
    return session.principal, session.client_name, session.client_version


class SessionReads(Reads):
    """Sessions and sessionless clients, live ones from memory and ended ones from the store."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._listing = Listing(engine)

    async def sessions(
        self, query: Filter, *, sort: str = "-last_seen", limit: int = 50, cursor: str | None = None
    ) -> SessionPage:
        """Return one page of sessions, live and ended.

        Raises:
            InvalidInput: The order or the cursor is unknown.
        """
        return await self._listing.page(query, sort, max(1, min(limit, 500)), cursor)

    async def count_by_status(self, query: Filter) -> dict[str, int]:
        """Return how many sessions match by status; the filter's own `state:` terms do not count."""
        return await self._listing.count_by_status(query)

    async def count(self, query: Filter) -> int:
        """Return how many sessions match."""
        return await self._listing.count(query)

    async def tally(self, query: Filter, *, is_shared: bool = False) -> Tally:
        """Return how many sessions match, and the ones opened last.

        Args:
            is_shared: What was counted for another follower in the last two seconds will do.
        """
        tallies = self._listing.tallies
        return await (tallies.shared(query) if is_shared else tallies.take(query))

    def live_version(self, session_id: str) -> tuple[int, str] | None:
        """Return the version and the status of a live session, cheaply; `None` when it has ended."""
        live = self._engine.by_id.get(session_id)
        return (live.version, live.status) if live is not None else None

    def values_of(self, key: str) -> Counter[str]:
        """Return the values that live sessions have for a text key of the filter language, with how many have each."""
        return self._listing.values_of(key)

    def everything(self, query: Filter, exclude: frozenset[str] = frozenset()) -> AsyncIterator[list[Session]]:
        """Yield every session that matches, live ones first, some at a time, for an export."""
        return self._listing.everything(query, exclude)

    def matching_live(self, query: Filter) -> list[LiveSession]:
        """Return the live sessions that match, for operations."""
        return list(self._listing.live(query))

    async def session(self, session_id: str) -> Session:
        """Return one session, live or ended.

        Raises:
            NotFound: No such session is kept.
        """
        live = self._engine.by_id.get(session_id)
        if live is not None:
            return self._engine.describe(live)
        return describe(await self._record(session_id))

    def live_session(self, session_id: str) -> Session | None:
        """Return one live session, or `None`."""
        live = self._engine.by_id.get(session_id)
        return self._engine.describe(live) if live is not None else None

    async def lookup(self, mcp_session_id: str) -> Session:
        """Return the session that a secret `Mcp-Session-Id` or handle names.

        Raises:
            NotFound: With what can be said about why.
        """
        found = await self.diagnose(mcp_session_id)
        if found.session_id is not None:
            with contextlib.suppress(NotFound):  # only its id is remembered, and the sentence says all of it
                return await self.session(found.session_id)
        raise NotFound(found.sentence)

    async def diagnose(self, mcp_session_id: str) -> Diagnosis:
        """Return what became of an `Mcp-Session-Id` or handle, and how often it was refused lately."""
        found = await diagnose(self._engine, mcp_session_id)
        refusal = self._engine.refusals.get(hash_secret(mcp_session_id))
        if refusal is None:
            return found
        often = "once" if refusal.times == 1 else f"{refusal.times:,} times"
        told = f" It was refused {often} lately, last to {refusal.address or 'an unknown address'}"
        told += "." if refusal.verdict is found.verdict else f": {refusal.sentence}"
        return found._replace(sentence=found.sentence + told, refused=refusal.times, last_refused_at=refusal.last_at)

    def refusals(self) -> list[Refusal]:
        """Return the session ids that were refused lately, the last one first."""
        return self._engine.refusals.latest()

    async def history(self, session_id: str) -> list[Transition]:
        """Return the states a session went through, oldest first, each with its cause."""
        return history_of(await self._record(session_id))

    def handle_counts(self) -> Counter[ClientKey]:
        """Return how many live handles each client of the newer era holds, by `client_key`."""
        records = (session.record for session in self._engine.live())
        return Counter(client_key(record) for record in records if record.kind is SessionKind.HANDLE)

    async def clients(self) -> list[Session]:
        """Return the sessionless clients of the newer era, the last heard first."""
        found = [self._engine.describe(session) for session in self._engine.live(clients=True)]
        return sorted(found, key=lambda session: session.last_activity_at, reverse=True)
