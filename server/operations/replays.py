"""Replay to the client: chosen notifications are appended again, and the ordinary tail delivers them.

A client's cursor never moves backwards, and MCP forbids repeating an answer, so answers and server
requests are not sent again (2025-11-25, transports, resumability: a message belongs to one stream).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..engine.engine import Engine
from ..engine.session import LiveSession
from ..errors import AlreadyEnded, InvalidInput, Unsupported
from ..marks import MASK
from ..models import STANDALONE_STREAM, Actor, Direction, Event, EventKind
from ..store.base import EventQuery
from .actions import Actions
from .deliveries import Deliveries
from .results import ReplayItem, ReplayPlan, ReplayResult

MAX_EVENTS = 1_000
_WAITS = "not written to an open stream yet; sent with the next one"
SETTLE_SECONDS = 2.0
"""How long a replay waits for an open stream to carry what it appended."""


class Chosen(NamedTuple):
    """Which events of a log, chosen in exactly one way."""

    after_seq: int | None = None
    seqs: Sequence[int] = ()
    from_seq: int | None = None
    to_seq: int | None = None

    @property
    def text(self) -> str:
        if self.seqs:
            return "events " + ", ".join(str(seq) for seq in self.seqs[:20]) + ("…" if len(self.seqs) > 20 else "")
        if self.after_seq is not None:
            return f"events after {self.after_seq}"
        return f"events {self.from_seq or 1} to {self.to_seq or 'now'}"


class ReplayVerbs:
    """Sending logged notifications to their client again."""

    def __init__(self, engine: Engine, actions: Actions, deliveries: Deliveries) -> None:
        self._engine = engine
        self._actions = actions
        self._deliveries = deliveries

    async def replay(
        self,
        actor: Actor,
        session_id: str,
        *,
        after_seq: int | None = None,
        seqs: Sequence[int] = (),
        from_seq: int | None = None,
        to_seq: int | None = None,
        stream: int = STANDALONE_STREAM,
    ) -> ReplayResult:
        """Send events again: those after one, some by number, or a range.

        Args:
            stream: The standalone stream, or the number of a call's stream that a client holds open: only
                notifications of that very call may go there.

        Raises:
            Forbidden: The actor may not act.
            AlreadyEnded: The session has ended.
            Unsupported: The session has no stream of its own (the 2026-07-28 era).
            InvalidInput: None or several selections, over 1,000 events, or a stream that is not open.
        """
        chosen = Chosen(after_seq, tuple(seqs), from_seq, to_seq)
        async with self._actions.run(actor, "replay", f"{session_id} {chosen.text}") as action:
            session = self._session(session_id)
            _check_stream(session, stream)
            events = await self._selected(session, chosen)
            items = await self._send_again(session, events, chosen.seqs, stream)
            result = ReplayResult(action.id, items)
            session.note(EventKind.OPERATOR, "replay", json.dumps({"by": actor.name, "events": len(events)}))
            action.outcome = "done" if result.skipped == 0 else "partly" if result.skipped < len(items) else "refused"
            action.detail = {"delivered": result.delivered, "queued": result.queued, "skipped": result.skipped}
            return result

    async def plan(
        self,
        session_id: str,
        *,
        after_seq: int | None = None,
        seqs: Sequence[int] = (),
        from_seq: int | None = None,
        to_seq: int | None = None,
        stream: int = STANDALONE_STREAM,
    ) -> ReplayPlan:
        """Return what `replay` would do now, event by event, and do nothing; raises what it would raise."""
        chosen = Chosen(after_seq, tuple(seqs), from_seq, to_seq)
        session = self._session(session_id)
        _check_stream(session, stream)
        events = await self._selected(session, chosen)
        items = _missing(chosen.seqs, events)
        size_bytes = 0
        for event in events:
            why = why_not_again(event, stream)
            items.append(ReplayItem(event.seq, None, "skipped" if why else "sendable", why or "", event.method))
            size_bytes += 0 if why else event.size_bytes
        return ReplayPlan(sorted(items, key=lambda item: item.seq), size_bytes)

    def _session(self, session_id: str) -> LiveSession:
        session = self._engine.by_id.get(session_id)
        if session is None:
            raise AlreadyEnded(
                f"Session {session_id} has ended or is not known here; only a live one can be replayed to."
            )
        if session.record.hears_by_listening:
            raise Unsupported("Replay needs a stream that the server may write to; MCP 2026-07-28 has none.")
        return session

    async def _selected(self, session: LiveSession, chosen: Chosen) -> list[Event]:
        has_range = chosen.from_seq is not None or chosen.to_seq is not None
        if [chosen.after_seq is not None, bool(chosen.seqs), has_range].count(True) != 1:
            raise InvalidInput("Choose events in one way: after_seq, seqs, or from_seq with to_seq.")
        log, record = self._engine.store.events, session.record
        if chosen.seqs:
            if len(chosen.seqs) > MAX_EVENTS:
                raise InvalidInput(f"At most {MAX_EVENTS:,} events can be replayed at once.")
            found = [await log.get(record.no, seq) for seq in sorted(set(chosen.seqs))]
            return [event for event in found if event is not None]
        if chosen.to_seq is not None and chosen.to_seq < (chosen.from_seq or 1):
            raise InvalidInput("A range ends after it begins: give the smaller event number first.")
        after = chosen.after_seq if chosen.after_seq is not None else (chosen.from_seq or 1) - 1
        before = chosen.to_seq + 1 if chosen.to_seq is not None else record.last_seq + 1
        page = await log.read(record.no, EventQuery(after=after, before=before, limit=MAX_EVENTS))
        if page.has_more:
            raise InvalidInput(f"At most {MAX_EVENTS:,} events can be replayed at once; choose a smaller range.")
        return page.events

    async def _send_again(
        self, session: LiveSession, events: list[Event], asked: Sequence[int], stream: int
    ) -> list[ReplayItem]:
        expires_at = time.time() + self._engine.settings.queue_seconds
        items = _missing(asked, events)
        sent: dict[int, ReplayItem] = {}
        written = Written()
        for event in events:
            if (why := why_not_again(event, stream)) is not None:
                items.append(ReplayItem(event.seq, None, "skipped", why, event.method))
                continue
            again, committed = session.append(
                Direction.FROM_SERVER,
                EventKind.NOTIFICATION,
                event.method,
                event.payload,
                stream=stream,
                related_seq=event.seq,
                expires_at=expires_at,
            )
            self._deliveries.expect(session.record.no, again.seq, expires_at, written.reporter(again.seq))
            sent[again.seq] = ReplayItem(event.seq, again.seq, "queued", _WAITS, event.method)
            await committed
        await self._settle(session, sent, written, stream)
        for new_seq, item in sent.items():
            delivered = new_seq in written
            items.append(item._replace(status="delivered", reason="written to an open stream") if delivered else item)
        return sorted(items, key=lambda item: item.seq)

    async def _settle(self, session: LiveSession, sent: dict[int, ReplayItem], written: Written, stream: int) -> None:
        if sent and session.open_stream(stream) is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_SECONDS):
                    await written.wait(len(sent))


class Written:
    """The rows of one replay that were written to an open stream."""

    def __init__(self) -> None:
        self._seqs: set[int] = set()
        self._changed = asyncio.Event()

    def __contains__(self, seq: int) -> bool:
        return seq in self._seqs

    def reporter(self, seq: int) -> Callable[[bool], None]:
        """Return what to call when that row is written, or can no longer be."""

        def report(was_written: bool) -> None:
            if was_written:
                self._seqs.add(seq)
                self._changed.set()

        return report

    async def wait(self, count: int) -> None:
        """Wait until `count` rows are written."""
        while len(self._seqs) < count:
            self._changed.clear()
            await self._changed.wait()


def why_not_again(event: Event, stream: int = STANDALONE_STREAM) -> str | None:
    """Return why an event cannot be sent to its client again on that stream, or `None` when it can."""
    if event.direction is not Direction.FROM_SERVER:
        return "it was not sent to the client"
    if event.kind is EventKind.REQUEST:
        return "MCP does not allow a request to the client to be repeated: its answer could match nothing"
    if event.kind is not EventKind.NOTIFICATION:
        return "MCP does not allow an answer to be sent twice; the client resumes its own stream for that"
    if event.method == "notifications/progress":
        return "progress has to grow with every report, so the same report is not allowed again"
    if event.method == "notifications/cancelled":
        return "it withdraws a request that is over"
    if event.sealed is not None or (event.payload is not None and MASK in event.payload):
        return "it held a secret, which is not sent again"
    if stream not in (STANDALONE_STREAM, event.stream):
        return "only messages of that very call may go on its stream"
    if event.payload is None or len(event.payload) != event.size_bytes:
        return "its payload is no longer kept whole"
    return None


def _check_stream(session: LiveSession, stream: int) -> None:
    if stream != STANDALONE_STREAM and session.open_stream(stream) is None:
        raise InvalidInput(f"No connection carries the stream of event {stream} now: choose the GET stream, 0.")


def _missing(asked: Sequence[int], events: list[Event]) -> list[ReplayItem]:
    return [
        ReplayItem(seq, None, "skipped", "retention has dropped it, or it never was")
        for seq in sorted(set(asked) - {event.seq for event in events})
    ]
