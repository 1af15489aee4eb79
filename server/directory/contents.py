"""What one session holds and has open, and what its log says of it."""

from __future__ import annotations

import json

from ..errors import NotFound
from ..models import (
    ANSWERS,
    CallsAt,
    Direction,
    ErrorGroup,
    Event,
    EventPage,
    HeldResource,
    InFlight,
    KeysAt,
    StoredKey,
    StreamInfo,
)
from ..resources import ResourceRegistry
from ..store.base import EventQuery, ServerLogQuery, Tail
from .declared import initialize_result, latest_meta
from .failures import ERRORS_READ, FailedCall, group_failures
from .past_calls import calls_at
from .past_keys import keys_at
from .reads import Reads

_LATENCY_SAMPLE = 200


class ContentReads(Reads):
    """The log, the stored keys, the open streams, resources and calls of one session or client."""

    async def events(self, session_id: str, query: EventQuery) -> EventPage:
        """Return events of a session's log."""
        return await self._engine.store.events.read((await self._record(session_id)).no, query)

    async def event(self, session_id: str, seq: int) -> Event:
        """Return one event.

        Raises:
            NotFound: It never was, or retention has dropped it.
        """
        event = await self._engine.store.events.get((await self._record(session_id)).no, seq)
        if event is None:
            raise NotFound(f"Session {session_id} keeps no event {seq}.")
        return event

    async def tail(self, session_id: str, after: int) -> Tail:
        """Follow a session's log; close the tail when done."""
        return self._engine.store.events.tail((await self._record(session_id)).no, after)

    async def keys(self, session_id: str) -> list[StoredKey]:
        """Return a session's stored keys by name."""
        return await self._engine.store.keys.list((await self._record(session_id)).no)

    async def key(self, session_id: str, name: str) -> StoredKey:
        """Return one stored key.

        Raises:
            NotFound: The session does not hold it.
        """
        stored = await self._engine.store.keys.get((await self._record(session_id)).no, name)
        if stored is None:
            raise NotFound(f"Session {session_id} holds no key {name!r}.")
        return stored

    async def keys_at(self, session_id: str, seq: int) -> KeysAt:
        """Return what the stored keys were directly after event `seq`; secrets without their value.

        Raises:
            NotFound: The session is not kept, or its log does not hold that event (any more).
        """
        return await keys_at(self._engine.store, await self._record(session_id), seq)

    async def calls_at(self, session_id: str, seq: int) -> CallsAt:
        """Return which requests were not answered directly after event `seq`.

        Raises:
            NotFound: The session is not kept, or its log does not hold that event (any more).
        """
        return await calls_at(self._engine.store, await self._record(session_id), seq)

    def streams(self, session_id: str) -> list[StreamInfo]:
        """Return the streams that are open right now."""
        live = self._engine.by_id.get(session_id)
        return [stream.describe() for stream in (live.streams or ())] if live is not None else []

    def resources(self, session_id: str) -> list[HeldResource]:
        """Return what a session holds open, in the order it was opened."""
        return self._engine.services.get(ResourceRegistry).held(session_id)

    def in_flight(self, session_id: str) -> list[InFlight]:
        """Return the requests that are not answered yet, oldest first."""
        live = self._engine.by_id.get(session_id)
        return [call.describe() for call in (live.calls or {}).values()] if live is not None else []

    async def errors(self, session_id: str | None = None) -> list[ErrorGroup]:
        """Return the newest errors of one session, or of all and of sessionless clients, grouped by code.

        At most `ERRORS_READ` are looked at.
        """
        if session_id is not None:
            query = EventQuery(errors_only=True, newest_first=True, limit=ERRORS_READ)
            page = await self.events(session_id, query)
            return group_failures(FailedCall(event, session_id) for event in page.events)
        query_all = ServerLogQuery(errors_only=True, limit=ERRORS_READ, with_payloads=True)
        found = await self._engine.store.events.read_all(query_all)
        return group_failures(FailedCall(each.event, each.session_id) for each in found.events)

    async def last_error_at(self, session_id: str) -> float | None:
        """Return when an answer was last an error, as far as the log goes back."""
        query = EventQuery(errors_only=True, limit=1, newest_first=True, payload_up_to=0)
        events = (await self.events(session_id, query)).events
        return events[0].at if events else None

    async def latency(self, session_id: str) -> tuple[float | None, float | None]:
        """Return p50 and p95 in milliseconds of the latest answers; `None` without any."""
        query = EventQuery(
            kinds=ANSWERS,
            direction=Direction.FROM_SERVER,
            limit=_LATENCY_SAMPLE,
            newest_first=True,
            payload_up_to=0,
        )
        page = await self.events(session_id, query)
        took = sorted(event.duration_us / 1000 for event in page.events if event.duration_us is not None)
        if not took:
            return None, None
        return took[len(took) // 2], took[min(len(took) - 1, int(len(took) * 0.95))]

    async def initialize_params(self, session_id: str) -> dict[str, object] | None:
        """Return what the client sent with `initialize`: its info and capabilities; `None` in the newer era."""
        record = await self._record(session_id)
        if record.init is None:
            return None
        params: dict[str, object] = json.loads(record.init)
        return params

    async def initialize_result(self, session_id: str) -> dict[str, object] | None:
        """Return what the server answered to `initialize`; `None` where there was none, or the log has dropped it."""
        return await initialize_result(self._engine.store.events, (await self._record(session_id)).no)

    async def latest_meta(self, session_id: str) -> dict[str, object] | None:
        """Return what the latest request of a 2026-07-28 client said about itself; `None` where none did."""
        return await latest_meta(self._engine.store.events, (await self._record(session_id)).no)
