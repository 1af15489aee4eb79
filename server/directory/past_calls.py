"""Which requests were not answered yet at a moment of a session's past: read back from its log."""

from __future__ import annotations

import json
from typing import Any, Final

from ..engine.calls import call_target
from ..errors import NotFound
from ..models import CallsAt, Event, EventKind, PastCall, SessionRecord
from ..store.base import EventQuery, Store

_PAGE: Final = 1_000
_MOST: Final = 5_000
"""Messages before the moment that are looked at; what began before them and was still open is not found."""
_SMALL: Final = 32 * 1024
_MESSAGES: Final = (EventKind.REQUEST, EventKind.RESPONSE, EventKind.ERROR)


async def calls_at(store: Store, record: SessionRecord, seq: int) -> CallsAt:
    """Return the requests of both sides that were open directly after event `seq`.

    Raises:
        NotFound: The log does not hold that event, or not any more.
    """
    moment = await store.events.get(record.no, seq)
    if moment is None:
        raise NotFound(f"Session {record.id} keeps no event {seq}: what was in flight then cannot be told.")
    answered: set[int] = set()
    found: list[PastCall] = []
    before, has_more, read, dropped = seq + 1, True, 0, 0
    while has_more and read < _MOST:
        query = EventQuery(before=before, kinds=_MESSAGES, limit=_PAGE, newest_first=True, payload_up_to=_SMALL)
        page = await store.events.read(record.no, query)
        for event in page.events:
            if event.kind is not EventKind.REQUEST:
                answered.add(event.related_seq or 0)
            elif event.seq not in answered:
                found.append(_call(event))
        read, has_more, dropped = read + len(page.events), page.has_more, page.dropped
        before = page.events[-1].seq if page.events else before
    return CallsAt(seq, moment.at, found[::-1], is_whole=not has_more and not dropped)


def _call(event: Event) -> PastCall:
    return PastCall(event.seq, event.request_id or "", event.method or "", _target(event), event.at, event.direction)


def _target(event: Event) -> str | None:
    try:
        message: Any = json.loads(event.payload or "{}")
        return call_target(event.method or "", message.get("params"))
    except (ValueError, AttributeError, RecursionError):
        return None
