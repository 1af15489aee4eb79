"""What tests put into a store, and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from switchroom.server.models import (
    Actor,
    Broadcast,
    Direction,
    Event,
    EventKind,
    Role,
    SessionKind,
    SessionRecord,
    SessionState,
)
from switchroom.server.store import SqliteStore, Store

OpenStore = Callable[..., Coroutine[Any, Any, Store]]
OpenSqlite = Callable[..., Coroutine[Any, Any, SqliteStore]]

START = 1_700_000_000.0
ADA = Actor("ada", Role.OPERATOR, address="192.0.2.7")


class Clock:
    """A wall clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def make_event(seq: int, **values: Any) -> Event:
    """Return a request; `values` replaces fields."""
    event = Event(seq, 1, START + seq, Direction.FROM_CLIENT, EventKind.REQUEST, "tools/call", None, str(seq))
    return event._replace(**values)


def make_record(no: int, **values: Any) -> SessionRecord:
    """Return a live session's record; `values` replaces fields."""
    record = SessionRecord(
        no=no,
        id=f"SESSION{no:06}",
        kind=SessionKind.STREAMABLE_HTTP,
        state=SessionState.INITIALIZED,
        server="everything",
        worker_id="w1",
        created_at=START,
        last_activity_at=START,
    )
    for name, value in values.items():
        setattr(record, name, value)
    return record


def make_ended(no: int, **values: Any) -> SessionRecord:
    """Return the record of a session that its client closed."""
    return make_record(no, **({"state": SessionState.CLOSED, "ended_at": START, "end_code": "client"} | values))


def make_broadcast(name: str, **values: Any) -> Broadcast:
    """Return a broadcast as the operator's verb makes it."""
    given: dict[str, Any] = {
        "id": name,
        "created_at": START,
        "actor": "ada",
        "text": "Restarting at noon",
        "level": "info",
        "filter": "state:live",
        "exclude": "",
        "status": "sending",
        "audience": 0,
        "counts": {},
        "expires_at": START + 600,
    }
    return Broadcast(**(given | values))


def named(sessions: Sequence[str], client: str = "tester") -> dict[str, str]:
    """Return a broadcast's recipients, all of one client."""
    return dict.fromkeys(sessions, client)


async def fill(store: Store, no: int, count: int) -> None:
    """Append that many events to a session's log, the first one being number 1."""
    await asyncio.gather(*(store.events.append(no, make_event(seq)) for seq in range(1, count + 1)))
